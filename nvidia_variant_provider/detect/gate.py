"""Is there any sign of NVIDIA at all? Most machines end here, for the price of a few look-ups.

Loaded on every machine: no import beyond the interpreter's own start.
"""

from __future__ import annotations

from nvidia_variant_provider.detect.files import raise_foreign

# Type checkers know the name; importing it from typing would cost half a bare interpreter start.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from nvidia_variant_provider.detect.files import FileView

MODULE_FOLDER = "/sys/module/nvidia"
PROC_FOLDER = "/proc/driver/nvidia"
PCI_FOLDER = "/sys/bus/pci/devices"
DEVICE_FOLDER = "/dev"
WSL_DEVICE = "/dev/dxg"
# Windows mounts this only where its NVIDIA driver is installed; a sandbox may show it without dxg.
WSL_LIBCUDA = "/usr/lib/wsl/lib/libcuda.so.1"

# Device nodes of the integrated GPUs of Tegra: nvhost up to JetPack 6, nvmap on all of them.
TEGRA_DEVICES = ("nvhost-gpu", "nvhost-ctrl-gpu", "nvmap", "nvgpu")

NVIDIA_VENDOR = "0x10de"
# With its newline: a file that is as long as what is wanted of it is read at once.
_VENDOR_LENGTH = len(NVIDIA_VENDOR) + 1
WINDOWS_NVML = r"C:\Windows\System32\nvml.dll"
WINDOWS_PCI_KEY = r"SYSTEM\CurrentControlSet\Enum\PCI"


def has_sign(files: FileView, system: str) -> bool:
    """Tell whether anything of this machine's kernel speaks of NVIDIA hardware or its driver."""
    if system == "linux":
        return (
            files.exists(MODULE_FOLDER)
            or files.exists(PROC_FOLDER)
            or files.exists(WSL_DEVICE)
            or files.size(WSL_LIBCUDA) > 0
            or any(map(is_nvidia_node, files.list_names(DEVICE_FOLDER)))
            or any(nvidia_pci_addresses(files))
        )
    if system == "win32":
        return bool(windows_pci_ids()) or files.exists(WINDOWS_NVML)
    return False


def has_driver(files: FileView) -> bool:
    """Tell whether a driver may be loaded, where no folder can be listed and no file be read."""
    nodes = (f"{DEVICE_FOLDER}/{name}" for name in ("nvidiactl", "nvidia0", *TEGRA_DEVICES))
    return any(map(files.exists, (MODULE_FOLDER, PROC_FOLDER, WSL_DEVICE, WSL_LIBCUDA, *nodes)))


def is_nvidia_node(name: str) -> bool:
    """Tell whether a name in ``/dev`` is a device node of an NVIDIA driver."""
    return name.startswith("nvidia") or name in TEGRA_DEVICES


def nvidia_pci_addresses(files: FileView) -> list[str]:
    """Return the PCI addresses of vendor 10de, of whatever class."""
    return [
        address
        for address in files.list_names(PCI_FOLDER)
        if read_word(files, f"{PCI_FOLDER}/{address}/vendor", _VENDOR_LENGTH) == NVIDIA_VENDOR
    ]


def read_word(files: FileView, path: str, limit: int = 256) -> str:
    """Return the first line of a file without its newline, empty if it cannot be read."""
    try:
        return files.read_text(path, limit).partition("\n")[0].strip()
    except (OSError, ValueError) as error:
        raise_foreign(error)
        return ""


def windows_pci_ids() -> tuple[int, ...]:
    """Return the device ids of vendor 10de that Windows has enumerated; empty elsewhere."""
    try:
        import winreg
    except ImportError:
        return ()
    return _registry_ids(winreg)


def _registry_ids(winreg: object) -> tuple[int, ...]:
    """Read the ids from the names of registry keys such as ``VEN_10DE&DEV_2684&SUBSYS_...``."""
    registry: WindowsRegistry = winreg  # type: ignore[assignment]  # a module is the protocol here
    ids: list[int] = []
    try:
        with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, WINDOWS_PCI_KEY) as key:
            for index in range(registry.QueryInfoKey(key)[0]):
                name = registry.EnumKey(key, index).upper()
                if name.startswith("VEN_10DE&DEV_"):
                    ids.append(int(name[13:17], 16))
    except (OSError, ValueError) as error:
        raise_foreign(error)
        return tuple(ids)
    return tuple(ids)


if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Protocol

    class WindowsRegistry(Protocol):
        """The part of ``winreg`` that is used."""

        HKEY_LOCAL_MACHINE: int

        def OpenKey(self, key: int, sub_key: str) -> AbstractContextManager[object]: ...  # noqa: D102, N802
        def QueryInfoKey(self, key: object) -> tuple[int, int, int]: ...  # noqa: D102, N802
        def EnumKey(self, key: object, index: int) -> str: ...  # noqa: D102, N802
