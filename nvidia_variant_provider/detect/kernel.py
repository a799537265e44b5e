"""What the Linux kernel publishes of NVIDIA hardware and its driver. Nothing here wakes a GPU."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect.files import raise_foreign
from nvidia_variant_provider.detect.gate import (
    DEVICE_FOLDER,
    MODULE_FOLDER,
    PCI_FOLDER,
    PROC_FOLDER,
    TEGRA_DEVICES,
    WSL_DEVICE,
    WSL_LIBCUDA,
    is_nvidia_node,
    nvidia_pci_addresses,
    read_word,
)
from nvidia_variant_provider.detect.outcome import Hit, Miss, MissReason
from nvidia_variant_provider.errors import InvalidValueError, MalformedReplyError
from nvidia_variant_provider.model import ComputeCapability, DriverRelease, Gpu
from nvidia_variant_provider.tables.pci import chip_of
from nvidia_variant_provider.tables.sm_archs import TEGRA_CHIPS
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nvidia_variant_provider.detect.files import FileView

MODULE_VERSION: Final = f"{MODULE_FOLDER}/version"
PROC_VERSION: Final = f"{PROC_FOLDER}/version"
# What the driver says of each GPU that it serves, in a folder named by the GPU's PCI address.
PROC_GPUS: Final = f"{PROC_FOLDER}/gpus"
TEGRA_RELEASE: Final = "/etc/nv_tegra_release"
TEGRA_MODEL: Final = "/proc/device-tree/model"
TEGRA_COMPATIBLE: Final = "/proc/device-tree/compatible"

# VGA, 3D and other display controllers; the vendor also makes audio, USB and bridge functions.
GPU_CLASSES: Final = ("0x0300", "0x0302", "0x0380")
# The switches of an NVLink fabric, up to Hopper; on HGX B200 they are no devices of this vendor.
NVSWITCH_CLASS: Final = "0x0680"

# The words before the number differ between the open and the closed module and between branches,
# and blanks are collapsed by some container shims; after "Module" the number is the first word
# that looks like one. The second line of the file quotes a compiler and may hold anything.
_PROC_RELEASE: Final = r"\bModule\b(?:\s+for\s+\S+)?\s+(\d{2,4}(?:\.\d{1,6}){1,2})(?=\s|$)"
_MINOR_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class PciGpu:
    """A display controller of vendor 10de, and the kernel driver it is bound to, if any.

    ``minor`` is the number of its device node (``nvidia0`` has 0), where NVIDIA's driver says it;
    ``excluded`` says that this driver was told to leave it alone. ``problem`` is what Windows says
    of the device, 0 if it works.
    """

    address: str
    device_id: int
    driver: str
    asleep: bool = False
    minor: int | None = None
    excluded: bool = False
    problem: int = 0

    def as_gpu(self) -> Gpu:
        """Return the GPU as far as its device id tells it."""
        chip = chip_of(self.device_id)
        if chip is None:
            return Gpu(name=f"NVIDIA device {self.device_id:04x}", pci_address=self.address)
        source = f"PCI device id {self.device_id:04x}"
        name = f"NVIDIA {chip.name}"
        return Gpu(name, "", self.address, chip.capability, chip.integrated, source)


@dataclass(frozen=True, slots=True)
class KernelView:
    """All that the kernel says, gathered without asking any library."""

    release: Hit[DriverRelease] | Miss
    module: bool = False
    proc: bool = False
    pci: tuple[PciGpu, ...] = ()
    nodes: tuple[str, ...] = ()
    wsl: bool = False
    wsl_libraries: bool = False
    tegra: bool = False
    tegra_gpu: Gpu | None = None
    open_module: bool | None = None
    has_nvswitch: bool = False

    @property
    def gpu_nodes(self) -> tuple[str, ...]:
        """The nodes that stand for a GPU: ``nvidia0``, ``dxg``, Tegra's; not the control node."""
        return tuple(
            node for node in self.nodes if node in TEGRA_DEVICES or node[6:].isdecimal()
        ) + (("dxg",) if self.wsl else ())

    def serves(self, gpu: PciGpu, *, contained: bool = False) -> bool:
        """Tell whether NVIDIA's driver serves a GPU and this process was given its device node.

        Containers show all GPUs of their host in sysfs: there (``contained``) a GPU counts only
        with its node. Elsewhere, where there is no node at all, none may have been made yet: that
        says nothing about one GPU.
        """
        if gpu.driver != "nvidia" or gpu.excluded:
            return False
        if not self.gpu_nodes:
            return not contained
        return gpu.minor is None or f"nvidia{gpu.minor}" in self.nodes

    @property
    def driver_present(self) -> bool:
        """Whether a kernel-mode driver is loaded, or one may be that hides its files (gVisor)."""
        return self.module or self.proc or bool(self.nodes) or self.wsl


def read_kernel(files: FileView) -> KernelView:
    """Gather the kernel's view of a Linux machine."""
    nodes = tuple(name for name in files.list_names(DEVICE_FOLDER) if is_nvidia_node(name))
    classes = {
        address: read_word(files, f"{PCI_FOLDER}/{address}/class")
        for address in nvidia_pci_addresses(files)
    }
    pci = tuple(_read_pci(files, classes))
    # With a discrete GPU, the driver of an IGX board is that of desktops and leaves its own alone.
    tegra = any(node in TEGRA_DEVICES for node in nodes) and not any(map(_is_discrete, pci))
    return KernelView(
        release=probe_driver_release(files),
        module=files.exists(MODULE_FOLDER),
        proc=files.exists(PROC_FOLDER),
        pci=pci,
        nodes=nodes,
        wsl=files.exists(WSL_DEVICE),
        wsl_libraries=files.size(WSL_LIBCUDA) > 0,
        tegra=tegra or (files.exists(TEGRA_RELEASE) and bool(nodes) and not pci),
        tegra_gpu=_read_tegra_gpu(files) if tegra else None,
        has_nvswitch=any(kind.startswith(NVSWITCH_CLASS) for kind in classes.values()),
    )


def probe_driver_release(files: FileView) -> Hit[DriverRelease] | Miss:
    """Read the release of the loaded kernel-mode driver, from sysfs or else from procfs."""
    release = _probe_release(files, MODULE_VERSION, parse_module_version)
    return (
        release
        if isinstance(release, Hit)
        else _probe_release(files, PROC_VERSION, parse_proc_version)
    )


def _probe_release(
    files: FileView, path: str, parse: Callable[[str], DriverRelease]
) -> Hit[DriverRelease] | Miss:
    try:
        return Hit(parse(files.read_text(path, 4096)), path)
    except OSError as error:
        raise_foreign(error)
        return Miss.from_os_error(path, error)
    except MalformedReplyError as error:
        return Miss(path, MissReason.MALFORMED, str(error))


def parse_module_version(text: str) -> DriverRelease:
    """Parse ``/sys/module/nvidia/version``: one word such as ``560.31.02``."""
    try:
        return DriverRelease.parse(text.strip())
    except InvalidValueError as error:
        raise MalformedReplyError(str(error)) from error


def parse_proc_version(text: str) -> DriverRelease:
    """Parse the first line of ``/proc/driver/nvidia/version``.

    ``NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.144.03  Release Build ...``
    """
    match = re.search(_PROC_RELEASE, text.partition("\n")[0], re.ASCII)
    if match is None:
        raise MalformedReplyError(f"no driver release in {text[:80]!r}")
    return DriverRelease.parse(match[1])


def is_open_module(files: FileView) -> bool | None:
    """Tell whether the loaded kernel module is the open one; ``None`` where it does not say."""
    try:
        line = files.read_text(PROC_VERSION, 4096).partition("\n")[0]
    except OSError as error:
        raise_foreign(error)
        return None
    return "Open Kernel Module" in line


def _read_pci(files: FileView, classes: Mapping[str, str]) -> list[PciGpu]:
    gpus = []
    for address, kind in classes.items():
        folder = f"{PCI_FOLDER}/{address}"
        if not kind.startswith(GPU_CLASSES):
            continue
        try:
            device_id = int(read_word(files, f"{folder}/device"), 16)
        except ValueError as error:
            raise_foreign(error)
            continue
        driver = files.read_link(f"{folder}/driver").rpartition("/")[2]
        asleep = read_word(files, f"{folder}/power/runtime_status") == "suspended"
        minor, excluded = _read_information(files, address)
        gpus.append(PciGpu(address, device_id, driver, asleep, minor, excluded))
    return gpus


def _is_discrete(gpu: PciGpu) -> bool:
    return gpu.driver == "nvidia" and not gpu.as_gpu().integrated


def _read_information(files: FileView, address: str) -> tuple[int | None, bool]:
    try:
        return parse_information(files.read_text(f"{PROC_GPUS}/{address}/information", 4096))
    except OSError as error:
        raise_foreign(error)
        return None, False


def parse_information(text: str) -> tuple[int | None, bool]:
    """Return a GPU's device minor and whether it is excluded: of a line ``Device Minor: 0``, 0.

    A line that is missing or makes no sense says nothing.
    """
    pairs = (line.partition(":") for line in text.splitlines())
    words = {key.strip(): word.strip() for key, _, word in pairs}
    minor = words.get("Device Minor", "")
    known = minor.isdecimal() and len(minor) <= _MINOR_DIGITS
    return int(minor) if known else None, words.get("GPU Excluded") == "Yes"


def _read_tegra_gpu(files: FileView) -> Gpu:
    """Return the integrated GPU of a Tegra board, as far as the device tree names its chip."""
    compatible = read_word(files, TEGRA_COMPATIBLE).replace("\0", " ")
    name = read_word(files, TEGRA_MODEL).rstrip("\0") or "NVIDIA Tegra"
    for chip, capability in TEGRA_CHIPS:
        if chip in compatible:
            source = f"device tree ({chip})"
            return Gpu(name, "", "", ComputeCapability.parse(capability), True, source)  # noqa: FBT003
    return Gpu(name=name, integrated=True)
