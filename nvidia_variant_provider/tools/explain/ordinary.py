"""An installed distribution without a label: which CUDA it was built for, and its device code.

Evidence, the surest first: ``torch/version.py`` and its like, the local version (``+cu130``), the
requirements on NVIDIA's packages, what the libraries are linked with, the project's name. Markers
of requirements are evaluated for the wheel's own platform: torch's wheels for Windows and Arm list
requirements that hold on Linux x86_64 alone.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement

from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.tools.binaries import elsewhere, requirements, runtime
from nvidia_variant_provider.tools.binaries.report import Contents
from nvidia_variant_provider.tools.torch.builds import cuda_of_label, device_code, index_path
from nvidia_variant_provider.tools.wheels.dist_info import metadata_fields
from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel
from nvidia_variant_provider.value_types import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.metadata import Distribution

    from nvidia_variant_provider.model import SmArch
    from nvidia_variant_provider.tools.binaries.report import Library
    from nvidia_variant_provider.tools.explain.libraries import Inside
    from nvidia_variant_provider.tools.wheels.name import WheelName

CPU: Final = "cpu"
_MAX_TEXT: Final = 1 << 20
_VERSION_PY: Final = re.compile(
    r"^cuda\s*(?::[^=\n]*)?=\s*(None|'([\d.]+)'|\"([\d.]+)\")", re.MULTILINE
)
# "cu130", "cu118torch2.1cxx11abiTRUE", and flash-attn's "cu12torch2.6cxx11abiFALSE".
_LOCAL: Final = re.compile(r"(?:^|\.)cu(\d{2})(\d)?(?!\d)")
_SYSTEMS: Final = {
    "manylinux": ("linux", "Linux", "linux", "posix"),
    "musllinux": ("linux", "Linux", "linux", "posix"),
    "linux": ("linux", "Linux", "linux", "posix"),
    "win": ("windows", "Windows", "win32", "nt"),
}
_MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sign of a CUDA version: where it was found and what it says.

    ``cuda`` is ``None`` for a sign of a CPU build; ``exact`` says whether its minor version counts.
    """

    text: str
    cuda: CudaVersion | None
    exact: bool = True


@dataclass(frozen=True, slots=True)
class InstalledBuild:
    """What is installed: ``platform`` as in the table of torch builds, "" where none is known.

    ``archs`` is the device code, empty where it is not known; ``code_source`` says how it is known.
    ``uses`` tells that the build uses CUDA, where no version of it is known.
    """

    name: str
    version: str
    platform: str
    evidence: tuple[Evidence, ...] = ()
    archs: tuple[SmArch, ...] = ()
    code_source: str = ""
    uses: tuple[str, ...] = ()

    @property
    def best(self) -> Evidence | None:
        """The sign that decides; ``None`` where nothing speaks of CUDA."""
        exact = [sign for sign in self.evidence if sign.exact]
        return next(iter(exact or self.evidence), None)

    @property
    def cuda(self) -> CudaVersion | None:
        """The CUDA version of the build; of a sign without minor version it is ``.0``."""
        return self.best.cuda if self.best else None

    @property
    def label(self) -> str:
        """What PyTorch's index would call it: ``cu130``; ``cu12``, ``cpu``; "" if not known."""
        if self.best is None:
            return ""
        if self.cuda is None:
            return CPU
        return index_path(self.cuda) if self.best.exact else f"cu{self.cuda.major}"


def read_build(distribution: Distribution, *, inspect: bool = True) -> InstalledBuild:
    """Find out what was installed; ``inspect`` also reads the libraries, which takes seconds."""
    name, version = distribution.metadata["Name"], distribution.version
    tag = _platform_tag(distribution)
    platform = _platform(tag)
    required = _required(distribution.requires or (), tag)
    signs = [*_version_py(distribution), *_local(version), *required]
    inside = _read_inside(distribution, name) if inspect else None
    if inside and inside.linked:
        major, text = inside.linked
        signs.append(Evidence(text, CudaVersion(major, 0), exact=False))
    signs += _named(name)
    uses = _uses(name, distribution.requires or (), inside.libraries if inside else ())
    build = InstalledBuild(name, version, platform, tuple(signs), uses=uses)
    if inside and inside.dominant:
        source = "read from the libraries: what most of their kernels have"
        return replace(build, archs=inside.dominant, code_source=source)
    return _with_known_code(build)


def _read_inside(distribution: Distribution, name: str) -> Inside:
    from nvidia_variant_provider.tools.explain.libraries import read_inside

    return read_inside(distribution, name)


def build_of_wheel(wheel: WheelName, path: str) -> InstalledBuild:
    """Find out what a wheel without a label was built for, from its name and its METADATA.

    Raises ``MetadataError`` for a wheel that cannot be read.
    """
    with OpenWheel(path) as opened:
        return build_of_metadata(wheel, opened.metadata)


def build_of_metadata(wheel: WheelName, metadata: bytes) -> InstalledBuild:
    """Find out the same of a wheel that is elsewhere, from its METADATA."""
    tag = wheel.platform.partition(".")[0]
    requires = metadata_fields(metadata, "Requires-Dist")
    signs = (*_local(wheel.version), *_required(requires, tag), *_named(wheel.name))
    uses = _uses(wheel.name, requires)
    return _with_known_code(
        InstalledBuild(wheel.name, wheel.version, _platform(tag), signs, uses=uses)
    )


def platform_of_wheel(wheel: WheelName) -> str | None:
    """Return a wheel's platform as the table of torch builds has it; "" for all of them.

    ``None`` for a platform without CUDA, such as macOS.
    """
    tag = wheel.platform.partition(".")[0]
    return _platform(tag) or ("" if tag == "any" else None)


def _with_known_code(build: InstalledBuild) -> InstalledBuild:
    known = device_code(build.name, build.version, build.label, build.platform)
    if known is None:
        return build
    source = f"table of torch builds: {known.source}" + (" (assumed)" if known.assumed else "")
    return replace(build, archs=known.archs, code_source=source)


def _version_py(distribution: Distribution) -> Iterator[Evidence]:
    for file in distribution.files or ():
        if len(file.parts) == 2 and file.name == "version.py":  # noqa: PLR2004 - package and file
            text = _text_of(Path(str(distribution.locate_file(file))))
            if match := _VERSION_PY.search(text):
                number = match[2] or match[3]
                cuda = CudaVersion.parse(".".join(number.split(".")[:2])) if number else None
                yield Evidence(f"{file}: cuda = {number or None}", cuda)


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_TEXT).decode("utf-8", "replace")
    except OSError:
        return ""


def _local(version: str) -> Iterator[Evidence]:
    local = version.partition("+")[2]
    if local == CPU:
        yield Evidence(f"local version +{local}", None)
    elif match := _LOCAL.search(local):
        exact = cuda_of_label(match[0].strip("."))
        yield Evidence(
            f"local version +{local}", exact or CudaVersion(int(match[1]), 0), exact is not None
        )


def _required(requires: Iterable[str], tag: str) -> Iterator[Evidence]:
    environment = _environment(tag)
    holding = [text for text in requires if _holds(text, environment)]
    required = [
        requirement
        for requirement in requirements.on_cuda(holding)
        if requirement.cuda and not requirement.optional
    ]
    required.sort(key=lambda requirement: "." not in requirement.cuda)
    for requirement in required[:1]:
        cuda = CudaVersion.parse(requirement.cuda)
        yield Evidence(f"requires {requirement.text}", cuda, "." in requirement.cuda)


def _named(name: str) -> Iterator[Evidence]:
    major = runtime.package_major(name)
    if major is not None:
        yield Evidence(f"named for CUDA {major}", CudaVersion(major, 0), exact=False)


def _uses(name: str, requires: Iterable[str], libraries: Iterable[Library] = ()) -> tuple[str, ...]:
    stated = requirements.on_cuda(requires)
    contents = Contents("", "folder", tuple(libraries), stated, distribution=name)
    return tuple(
        evidence.text for evidence in elsewhere.evidence_of(contents) if evidence.is_strong
    )


def _holds(text: str, environment: dict[str, str]) -> bool:
    try:
        marker = Requirement(text).marker
    except InvalidRequirement:
        return False
    return marker is None or marker.evaluate(environment)


def _environment(tag: str) -> dict[str, str]:
    """Return the marker environment of the platform that a wheel was built for."""
    environment: dict[str, str] = {**default_environment(), "extra": ""}  # type: ignore[dict-item]  # a TypedDict of texts
    system = _SYSTEMS.get(re.split(r"[_\d]", tag, maxsplit=1)[0])
    if system:
        _, platform_system, sys_platform, os_name = system
        machine = "AMD64" if tag == "win_amd64" else _machine(tag)
        environment |= {
            "platform_system": platform_system,
            "sys_platform": sys_platform,
            "os_name": os_name,
            "platform_machine": machine or environment["platform_machine"],
        }
    return environment


def _platform_tag(distribution: Distribution) -> str:
    text = distribution.read_text("WHEEL") or ""
    tags = re.findall(r"^Tag:\s*[^-\s]+-[^-\s]+-(\S+)", text, re.MULTILINE)
    return next((tag for tag in tags if tag != "any"), "any")


def _platform(tag: str) -> str:
    system = _SYSTEMS.get(re.split(r"[_\d]", tag, maxsplit=1)[0])
    return f"{system[0]}-{_machine(tag)}" if system and _machine(tag) else ""


def _machine(tag: str) -> str:
    match = re.search(r"(x86_64|aarch64|amd64|arm64)$", tag)
    return _MACHINES.get(match[1], match[1]) if match else ""
