"""What tells apart causes that look alike; read only for a person who asks, and never by starting.

A module that is not loaded may be blacklisted, unsigned, or built for another kernel; a GPU that is
lost may be an external one. Files say which, for nothing. Sources: modprobe.d(5), the kernel's
documentation of sysfs and efivarfs, NVIDIA/open-gpu-kernel-modules.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect.files import raise_foreign
from nvidia_variant_provider.detect.gate import PCI_FOLDER, read_word
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.detect.files import FileView

KERNEL_RELEASE: Final = "/proc/sys/kernel/osrelease"
COMMAND_LINE: Final = "/proc/cmdline"
MODULES: Final = "/lib/modules"
# Where packages, DKMS and akmods put the module below a kernel's folder.
_MODULE_FOLDERS: Final = (
    "updates/dkms", "updates", "extra", "extra/nvidia", "weak-updates", "weak-updates/nvidia",
    "kernel/drivers/video", "kernel/drivers/video/nvidia", "extramodules", "misc",
)  # fmt: skip
# Ubuntu's ready-made modules: kernel/nvidia-580-open/nvidia.ko.
_BRANCH_FOLDERS: Final = "kernel"
# Read in this order; the same name in an earlier folder hides a later one.
_MODPROBE_FOLDERS: Final = (
    "/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
)  # fmt: skip
_MAX_FILES: Final = 64
_MAX_KERNELS: Final = 16
_BLACKLIST: Final = (
    r"^\s*(blacklist\s+nvidia|install\s+nvidia\s+\S*/(?:false|true)|alias\s+nvidia\s+off)\s*$"
)
_BLACKLIST_OPTION: Final = (
    r"(?:^|\s)(?:module_blacklist|modprobe\.blacklist)=(?:\S*,)?nvidia(?:,|\s|$)"
)
_SECURE_BOOT: Final = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_FIRMWARE: Final = "/lib/firmware/nvidia"
_PRELOAD: Final = "/etc/ld.so.preload"
SHIM: Final = "libvgpu.so"


@dataclass(frozen=True, slots=True)
class Clues:
    """What files tell of a machine that does not work.

    ``kernel`` is the running release; ``module`` says where ``nvidia.ko`` is: "here", for "other"
    kernels only, "gone" with the running kernel's folder, or empty where none is found.
    ``blacklist`` is the file that keeps the module from loading, ``secure_boot`` whether only
    signed modules load, ``firmware`` whether that of a driver release is there, ``preloaded`` a
    library between CUDA and its driver; the GPUs are PCI addresses.
    """

    kernel: str = ""
    module: str = ""
    blacklist: str = ""
    secure_boot: bool = False
    firmware: bool | None = None
    preloaded: str = ""
    removable: frozenset[str] = frozenset()
    powered_off: frozenset[str] = frozenset()


def read_clues(
    files: FileView, release: str, addresses: tuple[str, ...], *, contained: bool
) -> Clues:
    """Read the clues; in a container the files of the host's modules are not those seen here."""
    kernel = read_word(files, KERNEL_RELEASE)
    gpus = {address: f"{PCI_FOLDER}/{address}" for address in addresses}
    removable = {
        address
        for address, path in gpus.items()
        if read_word(files, f"{path}/removable") == "removable"
    }
    off = {
        address
        for address, path in gpus.items()
        if read_word(files, f"{path}/power_state") == "D3cold"
    }
    seen = Clues(
        kernel=kernel,
        preloaded=_PRELOAD if SHIM in _text(files, _PRELOAD) else "",
        removable=frozenset(removable),
        powered_off=frozenset(off),
    )
    if contained:
        return seen
    return Clues(
        kernel=kernel,
        module=_find_module(files, kernel),
        blacklist=next(_blacklists(files), ""),
        secure_boot=_text(files, _SECURE_BOOT).endswith("\1"),
        firmware=_has_firmware(files, release),
        preloaded=seen.preloaded,
        removable=seen.removable,
        powered_off=seen.powered_off,
    )


def _find_module(files: FileView, kernel: str) -> str:
    kernels = files.list_names(MODULES)
    if not kernel or not kernels:
        return ""
    if _has_module(files, kernel):
        return "here"
    others = [name for name in kernels if name != kernel][-_MAX_KERNELS:]
    if not any(_has_module(files, other) for other in others):
        return ""
    return "other" if files.exists(f"{MODULES}/{kernel}") else "gone"


def _has_module(files: FileView, kernel: str) -> bool:
    top = f"{MODULES}/{kernel}"
    branches = (
        f"{_BRANCH_FOLDERS}/{name}"
        for name in files.list_names(f"{top}/{_BRANCH_FOLDERS}")
        if name.startswith("nvidia-")
    )
    return any(
        name.startswith("nvidia.ko")
        for folder in chain(_MODULE_FOLDERS, branches)
        for name in files.list_names(f"{top}/{folder}")
    )


def _blacklists(files: FileView) -> Iterator[str]:
    """Yield the files that tell modprobe to leave the module alone."""
    seen = set[str]()
    for folder in _MODPROBE_FOLDERS:
        for name in files.list_names(folder)[:_MAX_FILES]:
            if not name.endswith(".conf") or name in seen:
                continue
            seen.add(name)
            if re.search(_BLACKLIST, _text(files, f"{folder}/{name}"), re.MULTILINE):
                yield f"{folder}/{name}"
    if re.search(_BLACKLIST_OPTION, _text(files, COMMAND_LINE)):
        yield COMMAND_LINE


def _has_firmware(files: FileView, release: str) -> bool | None:
    """Tell whether the GSP firmware of a release is installed; ``None`` where no firmware is."""
    if not release or not files.exists("/lib/firmware"):
        return None
    return any(name.startswith("gsp") for name in files.list_names(f"{_FIRMWARE}/{release}"))


def _text(files: FileView, path: str) -> str:
    try:
        return files.read_text(path)
    except OSError as error:
        raise_foreign(error)
        return ""
