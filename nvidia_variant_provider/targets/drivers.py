"""The driver of a target: the one it names, held against its GPUs, or the oldest that fits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import CudaVersion, DriverRelease
from nvidia_variant_provider.rules.catalogue import OLDEST_CUDA
from nvidia_variant_provider.tables.driver_branches import BRANCHES, cuda_of_branch
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from nvidia_variant_provider.targets.devices import Device

_BRANCH: Final = re.compile(r"r?(\d{2,3})", re.ASCII)
_RELEASE: Final = re.compile(r"\d{2,3}(\.\d{1,6}){1,2}", re.ASCII)
_CUDA: Final = re.compile(r"cuda-?(\d{1,2}(?:\.\d{1,2})?)", re.ASCII)
_JETPACK: Final = re.compile(r"jetpack-?(\d(?:\.\d)?)", re.ASCII)
_DRIVER_FORM: Final = "a driver such as '580', '580.65.06', 'cuda13.2' or, on Jetson, 'jetpack6'"


@dataclass(frozen=True, slots=True)
class Driver:
    """The driver of a target; ``words`` is how a person would say it: ``"driver branch R580"``.

    ``branch`` and ``release`` are ``None`` where the target names a CUDA version. ``remark`` says
    what was assumed.
    """

    cuda: CudaVersion
    words: str
    branch: int | None = None
    release: DriverRelease | None = None
    remark: str = ""


def default_driver(device: Device) -> Driver | None:
    """Return the driver assumed where none is named; ``None`` if one has to be."""
    if not device.tegra:
        return _oldest_driver(device.first_branch or 0)
    return tegra_driver(device, "") if device.jetpacks else None


def ordinary_driver(devices: tuple[Device, ...], text: str) -> Driver:
    """Return the driver of a machine that is no Jetson: the named one, or the oldest that fits.

    Raises ``InvalidValueError`` for a driver that one of the devices is too new or too old for.
    """
    newest_device = max(devices, key=lambda it: it.first_branch or 0)
    first = newest_device.first_branch or 0
    ends = [(it.last_branch, it) for it in devices if it.last_branch is not None]
    last, oldest_device = min(ends, key=lambda row: row[0], default=(None, devices[0]))
    if last is not None and last < first:
        raise InvalidValueError(
            f"no driver supports all of these: {_begins(newest_device)}, {_ends(oldest_device)}"
        )
    if not text:
        return _oldest_driver(first)
    driver = _said_driver(text)
    branch = driver.branch if driver.branch is not None else _branch_of(driver.cuda)
    if branch < first:
        raise InvalidValueError(f"{driver.words} is too old: {_begins(newest_device)}")
    if last is not None and cuda_of_branch(branch) != cuda_of_branch(last) and branch > last:
        raise InvalidValueError(f"{driver.words} is too new: {_ends(oldest_device)}")
    return driver


def _oldest_driver(first: int) -> Driver:
    usable = next(branch for branch, cuda in BRANCHES if cuda >= OLDEST_CUDA)
    branch = max(first, usable)
    why = "the oldest that supports it" if branch == first else "the oldest that variants serve"
    cuda = cuda_of_branch(branch) or OLDEST_CUDA
    return Driver(
        cuda,
        f"driver branch R{branch}",
        branch,
        remark=f"no driver was named: R{branch} (CUDA {cuda}) is assumed, {why}",
    )


def _said_driver(text: str) -> Driver:
    text = text.strip().lower()
    if match := _CUDA.fullmatch(text):
        cuda = CudaVersion.parse(match[1])
        if _is_unheard_of(cuda):
            raise InvalidValueError(f"no driver reports CUDA {cuda}")
        return Driver(cuda, f"CUDA driver version {cuda}")
    release = DriverRelease.parse(text) if _RELEASE.fullmatch(text) else None
    match = _BRANCH.fullmatch(text)
    if release is None and match is None:
        raise InvalidValueError(f"not a driver: {text[:60]!r}, expected {_DRIVER_FORM}")
    branch = release.branch if release else int(match[1]) if match else 0
    version = cuda_of_branch(branch)
    if version is None:
        oldest = BRANCHES[0][0]
        raise InvalidValueError(f"driver branch R{branch} is unknown; the oldest is R{oldest}")
    words = f"driver release {release}" if release else f"driver branch R{branch}"
    remark = ""
    if branch > BRANCHES[-1][0]:
        remark = f"R{branch} is newer than this release knows: it counts as CUDA {version}"
    return Driver(version, words, branch, release, remark)


def tegra_driver(device: Device, text: str) -> Driver:
    """Return the driver of a Jetson, whose releases are numbered in their own way.

    Raises ``InvalidValueError`` for one that the device does not take.
    """
    served = device.jetpacks
    listed = ", ".join([*(f"jetpack{row.version}" for row in served), "a CUDA version: cuda13.0"])
    if not text:
        if not served:
            raise InvalidValueError(f"{device.name} needs a CUDA version: {device.name}@cuda13.0")
        row = served[0]
        words = f"JetPack {row.version}"
        remark = f"no driver was named: {words} (CUDA {row.cuda}) is assumed, the oldest"
        return Driver(row.cuda, words, remark=f"{remark} that supports it")
    text = text.strip().lower()
    if match := _CUDA.fullmatch(text):
        driver = _said_driver(text)
        if driver.cuda < device.facts.first_toolkit:
            first = f"{device.name} begins with CUDA {device.facts.first_toolkit}"
            raise InvalidValueError(f"{driver.words} is too old: {first}")
        return driver
    match = _JETPACK.fullmatch(text)
    branch = _BRANCH.fullmatch(text.partition(".")[0])
    for row in served:
        # JetPack 7 came in two CUDA versions: the bare number means the first for the device.
        if match and match[1] in {row.version, row.version.partition(".")[0]}:
            return Driver(row.cuda, f"JetPack {row.version}")
        if branch and int(branch[1]) == row.driver:
            return Driver(row.cuda, f"JetPack {row.version}, driver branch {row.driver}")
    raise InvalidValueError(f"{device.name} does not take {text[:60]!r}; it takes {listed}")


def _branch_of(cuda: CudaVersion) -> int:
    return next((branch for branch, known in BRANCHES if known >= cuda), BRANCHES[-1][0])


def _is_unheard_of(cuda: CudaVersion) -> bool:
    known = [version for _, version in BRANCHES]
    return cuda not in known and cuda < known[-1]


def _begins(device: Device) -> str:
    return (
        f"{device.name} (capability {device.capability}) begins with driver branch "
        f"R{device.first_branch}, CUDA {device.facts.first_toolkit}"
    )


def _ends(device: Device) -> str:
    return (
        f"R{device.last_branch} is the last driver branch for {device.name} ({device.capability})"
    )
