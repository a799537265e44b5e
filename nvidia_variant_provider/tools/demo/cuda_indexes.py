"""Stand-ins of a main index and of per-CUDA indexes, laid out as PyTorch lays its own out.

``simple/`` is the main index: of torch and torchvision it has the build that pip takes by default.
``whl/`` has an index for each build (``whl/cu126/torch/``). Which builds there are is in the table
of torch's builds. A build requires a stand-in of one CUDA library, so that an installation shows
whose libraries came along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

from nvidia_variant_provider.tables.torch_builds import ARM, LINUX, UNPINNED_FROM
from nvidia_variant_provider.tools.demo.wheels import check_others, write_wheel
from nvidia_variant_provider.tools.files import sha256_of, write_atomically
from nvidia_variant_provider.tools.index.pages import project_html, root_html
from nvidia_variant_provider.tools.releases.pages import PageFile
from nvidia_variant_provider.tools.torch.builds import (
    TORCH,
    builds_of,
    cuda_of_label,
    default_wheel,
    find_release,
    index_path,
    partners,
    release_order,
)
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

RELEASES: Final = ("2.13.0", "2.14.1", "2.15.0")
_VISION: Final = "torchvision"
_CPU: Final = "cpu"
_PLATFORMS: Final = (LINUX, ARM)
# A version that whatever is installed beside it accepts, so that pip does not complain.
_TYPING: Final = ("typing_extensions", "4.99.0")


class _Wheel(NamedTuple):
    """A wheel and what it requires."""

    name: WheelName
    requires: tuple[str, ...] = ()


def labels_of(version: str) -> list[str]:
    """Return the builds of a release: ``cpu``, ``cu126``, ``cu130``."""
    return sorted({label for platform in _PLATFORMS for label in _labels_on(version, platform)})


def write_indexes(folder: Path) -> None:
    """Write ``simple/`` and ``whl/`` into a folder, with the pages that installers read.

    Raises ``InvalidValueError`` for a folder with other wheels in it, before anything is written.
    """
    labels = sorted({label for version in RELEASES for label in labels_of(version)})
    main = [*_libraries(labels), _Wheel(_pure(*_TYPING)), *_main()]
    family = {label: list(_family(label)) for label in labels}
    check_others(folder, ())
    check_others(folder / "simple", [wheel.name for wheel in main])
    for label, wheels in family.items():
        check_others(folder / "whl" / label, [wheel.name for wheel in wheels])
    _write_index(folder / "simple", main)
    for label, wheels in family.items():
        _write_index(folder / "whl" / label, wheels)
    write_atomically(folder / "whl" / "index.html", root_html(labels).encode())


def _main() -> Iterator[_Wheel]:
    for version in RELEASES:
        for platform in _PLATFORMS:
            cuda = default_wheel(find_release(version), platform)
            yield from _builds(version, platform, "", index_path(cuda) if cuda else _CPU)


def _family(label: str) -> Iterator[_Wheel]:
    for version in RELEASES:
        for platform in _PLATFORMS:
            if label in _labels_on(version, platform):
                yield from _builds(version, platform, f"+{label}", label)


def _labels_on(version: str, platform: str) -> list[str]:
    builds = builds_of(find_release(version), platform)
    return [_CPU, *(index_path(build.cuda) for build in builds)]


def _builds(version: str, platform: str, local: str, label: str) -> Iterator[_Wheel]:
    """Yield torch, and the torchvision that pairs with it, for one platform."""
    tag = f"manylinux_2_28_{platform.removeprefix('linux-')}"
    requires = ("typing-extensions", *([_library_of(label)] if label != _CPU else []))
    yield _Wheel(WheelName(TORCH, f"{version}{local}", "", "py3", "none", tag, ""), requires)
    vision = partners(find_release(version)).torchvision
    if vision:
        is_unpinned = release_order(vision) >= release_order(UNPINNED_FROM[_VISION])
        pin = f"{TORCH}{'>=' if is_unpinned else '=='}{version}"
        name = WheelName(_VISION, f"{vision}{local}", "", "py3", "none", tag, "")
        yield _Wheel(name, (pin,))


def _library_of(label: str) -> str:
    """Return the requirement of a build on the runtime of its CUDA, under NVIDIA's name for it."""
    cuda = cuda_of_label(label)
    name = "nvidia-cuda-runtime-cu12" if cuda and cuda.major == 12 else "nvidia-cuda-runtime"  # noqa: PLR2004 - the last CUDA that NVIDIA's packages have in their names
    return f"{name}=={cuda}.0"


def _libraries(labels: Iterable[str]) -> Iterator[_Wheel]:
    for requirement in map(_library_of, sorted(set(labels) - {_CPU})):
        name, version = requirement.split("==")
        yield _Wheel(_pure(name.replace("-", "_"), version))


def _pure(name: str, version: str) -> WheelName:
    return WheelName(name, version, "", "py3", "none", "any", "")


def _write_index(folder: Path, wheels: Iterable[_Wheel]) -> None:
    """Write wheels into a folder, and a page for each of their projects."""
    pages: dict[str, list[PageFile]] = {}
    for wheel in wheels:
        path = write_wheel(folder, wheel.name, None, wheel.requires)
        address = f"../{quote(path.name)}"
        listed = PageFile(path.name, address, sha256_of(path), size=path.stat().st_size)
        pages.setdefault(wheel.name.name.replace("_", "-"), []).append(listed)
    for project, files in pages.items():
        page = project_html(project, files)
        (folder / project).mkdir(exist_ok=True)
        write_atomically(folder / project / "index.html", page.encode())
    write_atomically(folder / "index.html", root_html(sorted(pages)).encode())
