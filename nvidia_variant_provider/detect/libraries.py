"""Where the driver's libraries may lie, in the order a program on this machine would meet them.

Nothing relative counts. A folder of the list is used only when the loader itself finds nothing;
docs/detection.md names the machine behind each.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect.files import raise_foreign
from nvidia_variant_provider.detect.outcome import Miss, MissReason
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.detect.files import FileView
    from nvidia_variant_provider.detect.host import Host

SONAMES: Final = {"nvml": "libnvidia-ml.so.1", "cuda": "libcuda.so.1"}
# Tegra and the driver store of WSL name the file itself so; the link may be missing there.
TEGRA_FILE: Final = "libcuda.so.1.1"
DLL_NAMES: Final = {"nvml": "nvml.dll", "cuda": "nvcuda.dll"}

WSL_FOLDERS: Final = ("/usr/lib/wsl/lib", "/usr/lib/wsl/drivers/*")
# "{triple}" is x86_64-linux-gnu or aarch64-linux-gnu; "*" ends a part of the path.
KNOWN_FOLDERS: Final = (
    "/usr/lib/{triple}",
    "/usr/lib64",
    "/usr/lib",
    "/lib/{triple}",
    "/lib64",
    "/usr/lib/{triple}/nvidia/current",
    "/usr/lib/{triple}/nvidia",
    "/usr/lib/{triple}/tegra",
    "/usr/lib64/nvidia",
    "/usr/lib/nvidia-*",
    "/run/opengl-driver/lib",
    "/var/run/opengl-driver/lib",
    "/usr/local/nvidia/lib64",
    "/usr/local/nvidia/lib",
    "/home/kubernetes/bin/nvidia/lib64",
    "/var/lib/nvidia/lib64",
    "/run/nvidia/driver/usr/lib/{triple}",
    "/run/nvidia/driver/usr/lib64",
    "/usr/lib64-nvidia",
    "/.singularity.d/libs",
    "/usr/local/glibc/usr/lib",
    "/usr/local/glibc/lib",
    "/usr/lib/{triple}/GL/nvidia-*/lib",
    "/var/lib/snapd/lib/gl",
    "/var/lib/snapd/hostfs/usr/lib/{triple}",
)
# The first of them are those of the system itself, and the first five those of its loader.
_SYSTEM_FOLDERS: Final = 6
LOADER_FOLDERS: Final = KNOWN_FOLDERS[:5]
# Forward compatibility packages hold libcuda only, and are used when nothing else is there.
COMPAT_FOLDERS: Final = ("/usr/local/cuda/compat", "/usr/local/cuda-*/compat")

ELF_MACHINES: Final = {"x86_64": 62, "aarch64": 183}
_ELF_64: Final = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A library to load: a soname for the loader, or a full path."""

    path: str
    by_loader: bool = False


def candidates(host: Host, api: str, *, wsl: bool) -> Iterator[Candidate | Miss]:
    """Yield what to load, best first, and a ``Miss`` for every file that is not worth a try."""
    if host.platform.system == "win32":
        yield from _windows_candidates(host, api)
        return
    seen = set[str]()
    # A Linux driver package inside WSL shadows the libraries that work there. And most WSL
    # machines have no NVIDIA GPU: there, the loader is not asked in vain.
    if wsl:
        yield from _in_folders(host, api, WSL_FOLDERS, seen)
    if host.files.is_real and not wsl:
        yield Candidate(SONAMES[api], by_loader=True)
    else:
        yield from _in_folders(host, api, search_path(host), seen)
    compat = COMPAT_FOLDERS if api == "cuda" else ()
    yield from _in_folders(host, api, (*KNOWN_FOLDERS, *WSL_FOLDERS, *compat), seen)


def search_path(host: Host) -> tuple[str, ...]:
    """Return the absolute folders of ``LD_LIBRARY_PATH``, without wildcards."""
    folders = host.environ.get("LD_LIBRARY_PATH", "").split(":")
    return tuple(
        folder.rstrip("/") for folder in folders if os.path.isabs(folder) and "*" not in folder
    )


def installed_release(host: Host) -> str:
    """Return the release in the name of an installed library: ``libcuda.so.535.113.01``.

    What is on disk need not be what is loaded, so this is for people only.
    """
    triple = f"{host.platform.architecture}-linux-gnu"
    for pattern in KNOWN_FOLDERS[:_SYSTEM_FOLDERS]:
        for soname in SONAMES.values():
            path = f"{pattern.replace('{triple}', triple)}/{soname}"
            release = host.files.read_link(path).rpartition(".so.")[2]
            if "." in release and host.files.size(path) > 0 and release != "1.1":
                return release
    return ""


def unlinked_library(host: Host) -> str:
    """Return a ``libcuda.so.535.113.01`` beside which no ``libcuda.so.1`` stands; else empty."""
    triple = f"{host.platform.architecture}-linux-gnu"
    soname = SONAMES["cuda"]
    for pattern in KNOWN_FOLDERS[:_SYSTEM_FOLDERS]:
        folder = pattern.replace("{triple}", triple)
        names = host.files.list_names(folder)
        versioned = [
            name
            for name in names
            if name.startswith("libcuda.so.") and name.count(".") > 3  # noqa: PLR2004
        ]
        if versioned and soname not in names:
            return f"{folder}/{versioned[0]}"
    return ""


def shadowing(host: Host) -> str:
    """Return a libcuda that programs under WSL find before the one that works; else empty."""
    triple = f"{host.platform.architecture}-linux-gnu"
    for folder in (*search_path(host), f"/usr/lib/{triple}", "/usr/lib64"):
        path = f"{folder}/{SONAMES['cuda']}"
        if folder.startswith("/usr/lib/wsl"):
            return ""
        if host.files.size(path) > 0 and "/wsl/" not in host.files.read_link(path):
            return path
    return ""


def _in_folders(
    host: Host, api: str, patterns: tuple[str, ...], seen: set[str]
) -> Iterator[Candidate | Miss]:
    triple = f"{host.platform.architecture}-linux-gnu"
    merged = bool(host.files.read_link("/lib"))
    for pattern in patterns:
        # "/lib" is a link to "/usr/lib" nearly everywhere: the same file would be tried twice.
        if merged and pattern.startswith("/lib"):
            continue
        for folder in expand(host.files, pattern.replace("{triple}", triple)):
            if folder in seen:
                continue
            seen.add(folder)
            yield from _in_folder(host, api, folder)


def _in_folder(host: Host, api: str, folder: str) -> Iterator[Candidate | Miss]:
    checked = check_library(host, f"{folder}/{SONAMES[api]}")
    if checked is None and api == "cuda":
        checked = check_library(host, f"{folder}/{TEGRA_FILE}")
    if checked is not None:
        yield checked


def expand(files: FileView, pattern: str) -> list[str]:
    """Return the folders that a pattern means; ``*`` may end one part of it."""
    before, star, after = pattern.partition("*")
    if not star:
        return [pattern]
    parent, _, prefix = before.rpartition("/")
    names = (name for name in files.list_names(parent) if name.startswith(prefix))
    return [f"{parent}/{name}{after}" for name in names]


def check_library(host: Host, path: str) -> Candidate | Miss | None:
    """Look at a file before it is loaded; ``None`` if there is nothing at all."""
    size = host.files.size(path)
    if size < 0:
        target = host.files.read_link(path)
        return Miss(path, MissReason.ABSENT, f"dangling link to {target}") if target else None
    if size == 0:
        return Miss(path, MissReason.EMPTY, "left by an image built under the GPU runtime")
    try:
        header = host.files.read_bytes(path, 20)
    except OSError as error:
        raise_foreign(error)
        return Miss.from_os_error(path, error)
    return _check_elf(path, header, host.platform.architecture)


def _check_elf(path: str, header: bytes, architecture: str) -> Candidate | Miss:
    if not header.startswith(b"\x7fELF") or len(header) < 20:  # noqa: PLR2004 - e_machine ends at 20
        return Miss(path, MissReason.MALFORMED, "not an ELF file")
    machine = int.from_bytes(header[18:20], "little")
    wanted = ELF_MACHINES.get(architecture)
    if header[4] != _ELF_64 or (wanted is not None and machine != wanted):
        bits = 64 if header[4] == _ELF_64 else 32
        return Miss(path, MissReason.FOREIGN, f"{bits}-bit ELF for machine {machine}")
    return Candidate(path)


def _windows_candidates(host: Host, api: str) -> Iterator[Candidate | Miss]:
    """Yield full paths only: a DLL of the same name in the current folder must not be loaded."""
    root = host.environ.get("SystemRoot", "")
    system32 = f"{root if root[1:3] == ':' + chr(92) else 'C:' + chr(92) + 'Windows'}\\System32"
    store = f"{system32}\\DriverStore\\FileRepository"
    folders = [system32]
    folders += [
        f"{store}\\{name}" for name in host.files.list_names(store) if name.startswith("nv")
    ]
    programs = host.environ.get("ProgramW6432", "")
    if api == "nvml" and programs[1:3] == ":\\":
        folders.append(f"{programs}\\NVIDIA Corporation\\NVSMI")
    for folder in folders:
        path = f"{folder}\\{DLL_NAMES[api]}"
        if host.files.size(path) > 0:
            yield Candidate(path)
