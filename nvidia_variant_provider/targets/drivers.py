"""The driver of a target: the named one, checked against its GPUs, or the one that is assumed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import CudaVersion, DriverRelease
from nvidia_variant_provider.tables.driver_branches import (
    BRANCHES,
    DEFAULT_BRANCH,
    cuda_of_branch,
)
from nvidia_variant_provider.value_types import dataclass, replace

if TYPE_CHECKING:
    from nvidia_variant_provider.targets.devices import Device

_BRANCH: Final = re.compile(r"r?(\d{2,3})", re.ASCII)
_RELEASE: Final = re.compile(r"\d{2,3}(\.\d{1,6}){1,2}", re.ASCII)
_CUDA: Final = re.compile(r"cuda-?(\d{1,2}(?:\.\d{1,2})?)", re.ASCII)
_BARE_CUDA: Final = re.compile(r"1\d\.\d{1,2}", re.ASCII)
_DRIVER_FORM: Final = "a driver such as '580', '580.65.06', 'cuda13.2' or, on Jetson, 'jetpack6'"


@dataclass(frozen=True, slots=True)
class Driver:
    """The driver of a target; ``words`` is how a person would say it: ``"driver branch R580"``.

    ``branch`` and ``release`` are ``None`` where the target names a CUDA version. ``assumed`` says
    what was assumed and how to say otherwise, ``warning`` what is odd about the named driver.
    """

    cuda: CudaVersion
    words: str
    branch: int | None = None
    release: DriverRelease | None = None
    assumed: str = ""
    warning: str = ""


def ordinary_driver(devices: tuple[Device, ...], text: str) -> Driver:
    """Return the driver of a machine that is no Jetson: the named one, or the one assumed.

    Raises ``InvalidValueError`` for a driver that one of the devices is too new or too old for.
    """
    newest, oldest = _newest(devices), _oldest(devices)
    first, last = newest.first_branch or 0, oldest.last_branch
    if last is not None and last < newest.chip_branch:
        raise InvalidValueError(
            f"no driver supports all of these: {_begins(newest)}, {_ends(oldest)}"
        )
    if not text:
        return assumed_driver(devices)
    driver = named_driver(text, "+".join(device.name for device in devices))
    branch = driver.branch if driver.branch is not None else _branch_of(driver.cuda)
    if early := [device for device in devices if branch < device.chip_branch]:
        raise InvalidValueError(f"{driver.words} is too old: {_begins(early[0])}")
    if last is not None and cuda_of_branch(branch) != cuda_of_branch(last) and branch > last:
        raise InvalidValueError(f"{driver.words} is too new: {_ends(oldest)}")
    if driver.branch is not None and branch < first:
        # Whoever names the driver may have the machine: a list of names is no proof against it.
        unlisted = f"{driver.words} does not list {newest.name}; the first that does is R{first}"
        return replace(driver, warning=unlisted)
    return driver


def named_driver(text: str, name: str) -> Driver:
    """Read a driver branch, a driver release or a CUDA driver version, whatever the device.

    ``name`` is what stands before the ``@``, for the hint. Raises ``InvalidValueError``.
    """
    text = text.strip().lower()
    if match := _CUDA.fullmatch(text):
        cuda = CudaVersion.parse(match[1])
        if _is_unheard_of(cuda):
            raise InvalidValueError(f"no driver reports CUDA {cuda}")
        return Driver(cuda, f"CUDA driver version {cuda}")
    if _BARE_CUDA.fullmatch(text):
        raise InvalidValueError(
            f"{text!r} is not a driver release; did you mean {name}@cuda{text}?"
        )
    release = DriverRelease.parse(text) if _RELEASE.fullmatch(text) else None
    match = _BRANCH.fullmatch(text)
    if release is None and match is None:
        raise InvalidValueError(f"not a driver: {text[:60]!r}, expected {_DRIVER_FORM}")
    branch = release.branch if release else int(match[1]) if match else 0
    version = cuda_of_branch(branch)
    if version is None:
        first = BRANCHES[0][0]
        raise InvalidValueError(f"driver branch R{branch} is unknown; the oldest is R{first}")
    words = f"driver release {release}" if release else f"driver branch R{branch}"
    return Driver(version, words, branch, release, warning=_newer_than_known(branch, version))


def _newer_than_known(branch: int, cuda: CudaVersion) -> str:
    newest = BRANCHES[-1][0]
    if branch <= newest:
        return ""
    return f"R{branch} is newer than R{newest}, the newest known branch: it counts as CUDA {cuda}"


def assumed_driver(devices: tuple[Device, ...]) -> Driver:
    """Return R580, or the nearest to it that serves the devices."""
    newest, oldest = _newest(devices), _oldest(devices)
    first, last = newest.first_branch or 0, oldest.last_branch or BRANCHES[-1][0]
    branch = min(max(DEFAULT_BRANCH, first), last)
    cuda = cuda_of_branch(branch) or BRANCHES[0][1]
    words = f"driver branch R{branch}"
    name = "+".join(device.name for device in devices)
    return Driver(cuda, words, branch, assumed=_why_assumed(name, branch, first, last))


def _why_assumed(name: str, branch: int, first: int, last: int) -> str:
    assumption = f"no driver was named: R{branch} (CUDA {cuda_of_branch(branch)}) is assumed"
    if branch == first:
        return (
            f"{assumption}, the first that supports {name}; for a newer one, name it: {name}@NUMBER"
        )
    if branch == last:
        assumption += f", the last that supports {name}"
    older = max(known for known, _ in BRANCHES if first <= known < branch)
    return f"{assumption}; for an older one, name it: {name}@{older}"


def _newest(devices: tuple[Device, ...]) -> Device:
    return max(devices, key=lambda device: device.first_branch or 0)


def _oldest(devices: tuple[Device, ...]) -> Device:
    ends = [device for device in devices if device.last_branch is not None]
    return min(ends, key=lambda device: device.last_branch or 0, default=devices[0])


def _branch_of(cuda: CudaVersion) -> int:
    return next((branch for branch, known in BRANCHES if known >= cuda), BRANCHES[-1][0])


def _is_unheard_of(cuda: CudaVersion) -> bool:
    known = [version for _, version in BRANCHES]
    return cuda not in known and cuda < known[-1]


def _begins(device: Device) -> str:
    return (
        f"{device.name} (capability {device.capability}) begins with driver branch "
        f"R{device.chip_branch}, CUDA {device.facts.first_toolkit}"
    )


def _ends(device: Device) -> str:
    return (
        f"R{device.last_branch} is the last driver branch for {device.name} ({device.capability})"
    )
