"""Forged machines: a folder that looks like the root of one, for the real detection code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.native.build import R580, StandIns

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

UUIDS: Final = tuple(f"GPU-{digit * 8}-2222-3333-4444-555555555555" for digit in "123456789abcdef")
ADDRESSES: Final = tuple(f"0000:{bus:02x}:00.0" for bus in range(1, 16))
H100_ID: Final = 0x2330


def gpu_lines(count: int = 1, capability: str = "9.0", name: str = "NVIDIA H100") -> str:
    """Return the stand-in's lines for so many GPUs; the UUIDs and addresses are those above."""
    rows = zip(range(count), UUIDS, ADDRESSES, strict=False)
    return "".join(f"gpu {capability} {uuid} 0000{bus} {name}\n" for _, uuid, bus in rows)


@dataclass(frozen=True, slots=True)
class ForgedMachine:
    """A folder that stands for a machine's root."""

    root: Path
    stand_ins: StandIns

    def write(self, path: str, content: str | bytes) -> Path:
        """Write a file of the machine."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
        return target

    def add_driver(self, release: str = "580.65.06", nodes: Iterable[str] = ("nvidia0",)) -> None:
        """Load a kernel-mode driver, with its device nodes."""
        self.write("/sys/module/nvidia/version", f"{release}\n")
        for node in ("nvidiactl", "nvidia-uvm", *nodes):
            self.write(f"/dev/{node}", "")

    def add_pci_gpu(self, address: str = ADDRESSES[0], device: int = H100_ID) -> None:
        """Plug in a GPU that is bound to the driver; an H100 unless told otherwise."""
        folder = f"/sys/bus/pci/devices/{address}"
        self.write(f"{folder}/vendor", "0x10de\n")
        self.write(f"{folder}/class", "0x030200\n")
        self.write(f"{folder}/device", f"0x{device:04x}\n")
        (self.root / folder.lstrip("/") / "driver").symlink_to("../../../bus/pci/drivers/nvidia")

    def install(self, api: str, conf: str = R580, missing: Iterable[str] = ()) -> Path:
        """Put a driver library where detection looks first."""
        return self.stand_ins.install(self.root, api, conf, missing=missing)
