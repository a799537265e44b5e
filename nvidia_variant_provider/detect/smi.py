"""``nvidia-smi``, asked only when the driver's libraries could not be."""

from __future__ import annotations

import os
import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect.answer import parse_bus_id
from nvidia_variant_provider.detect.child import EXITED
from nvidia_variant_provider.detect.files import raise_foreign
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import ComputeCapability, CudaVersion, DriverRelease, Gpu
from nvidia_variant_provider.tables.pci import chip_of
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvidia_variant_provider.detect.child import ChildReply, End
    from nvidia_variant_provider.detect.host import Host

FOLDERS: Final = (
    "/usr/bin",
    "/usr/lib/wsl/lib",
    "/usr/local/nvidia/bin",
    "/home/kubernetes/bin/nvidia/bin",
    "/run/nvidia/driver/usr/bin",
    "/usr/local/bin",
    "/opt/bin",
)
QUERY: Final = "driver_version,compute_cap,pci.device_id,uuid,pci.bus_id,memory.total,name"
# Drivers before R510 do not know compute_cap and refuse the whole query.
OLD_QUERY: Final = QUERY.replace("compute_cap,", "")
_REFUSED: Final = "is not a valid field to query"

# One that cannot be run, or is of a driver that is not this machine's, must not hide a good one.
_MAX_PROGRAMS: Final = 4

# What it prints when NVML does not start. Exit codes follow these numbers in most releases only.
FAILURES: Final = (
    ("Insufficient Permissions", 4),
    ("couldn't communicate with the NVIDIA driver", 9),
    ("blocked by the operating system", 17),
    ("Driver/library version mismatch", 18),
    ("No supported GPUs were found", 28),
    ("Unknown Error", 999),
)

# "CUDA Version: 12.8" up to R595, "CUDA UMD Version: 13.3" from R610 on.
_CUDA: Final = re.compile(
    r"CUDA (?:UMD )?Version\s*:\s*(\d{1,2}\.\d{1,2})\b", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class SmiAnswer:
    """What ``nvidia-smi`` said; ``code`` is the status code of NVML that its failure stands for."""

    path: str
    release: DriverRelease | None = None
    cuda: CudaVersion | None = None
    gpus: tuple[Gpu, ...] = ()
    end: End = EXITED
    text: str = ""
    code: int | None = None

    @property
    def answered(self) -> bool:
        """Whether ``nvidia-smi`` told anything of the driver or its GPUs."""
        return self.release is not None or bool(self.gpus)

    def describe(self) -> str:
        """Say in a few words what came of it."""
        if self.release is None and not self.gpus:
            return self.text or str(self.end)
        return f"driver {self.release}, CUDA {self.cuda}, {len(self.gpus)} GPUs"


def find_programs(host: Host) -> tuple[str, ...]:
    """Return the full paths of ``nvidia-smi``, those in system folders first; a few at most."""
    if host.platform.system == "win32":
        folders: tuple[str, ...] = ("C:\\Windows\\System32",)
        name = "\\nvidia-smi.exe"
    else:
        searched = host.environ.get("PATH", "").split(":")
        folders = (*FOLDERS, *filter(os.path.isabs, searched))
        name = "/nvidia-smi"
    paths = dict.fromkeys(folder + name for folder in folders)
    return tuple(islice((path for path in paths if host.files.size(path) > 0), _MAX_PROGRAMS))


def ask_smi(host: Host, path: str, left: Callable[[], float]) -> SmiAnswer:
    """Ask for one row a GPU, then for the CUDA version in the banner."""
    query = [path, f"--query-gpu={QUERY}", "--format=csv,noheader"]
    reply = host.run_program(query, left())
    fields = QUERY
    if _REFUSED in reply.text:
        fields = OLD_QUERY
        query[1] = f"--query-gpu={OLD_QUERY}"
        reply = host.run_program(query, left())
    release, gpus = parse_rows(reply.text, fields)
    if release is None and not gpus:
        text = _first_line(reply)
        return SmiAnswer(path, end=reply.end, text=text, code=parse_failure(text))
    banner = host.run_program([path], left())
    return SmiAnswer(path, release, parse_banner(banner.text), gpus, reply.end)


def parse_failure(text: str) -> int | None:
    """Return the status code of NVML behind a failure; the exit code does not always tell it."""
    return next((code for words, code in FAILURES if words in text), None)


def parse_rows(text: str, fields: str) -> tuple[DriverRelease | None, tuple[Gpu, ...]]:
    """Parse CSV rows; warnings between them are not rows, and a cell may be ``[N/A]``."""
    names = fields.split(",")
    release, gpus = None, []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split(",", len(names) - 1)]
        if len(cells) != len(names):
            continue
        row = dict(zip(names, cells, strict=True))
        try:
            release = DriverRelease.parse(row["driver_version"])
        except InvalidValueError:
            continue
        gpus.append(_gpu(row))
    return release, tuple(gpus)


def parse_banner(text: str) -> CudaVersion | None:
    """Return the CUDA driver version that a banner or a report of ``nvidia-smi`` names."""
    match = _CUDA.search(text)
    return CudaVersion.parse(match[1]) if match else None


def _gpu(row: dict[str, str]) -> Gpu:
    capability = _capability(row)
    uuid = row["uuid"] if row["uuid"].startswith(("GPU-", "MIG-")) else ""
    name = "" if row["name"].startswith("[") else row["name"][:96]
    address, memory = parse_bus_id(row["pci.bus_id"]), _memory(row["memory.total"])
    return Gpu(name, uuid, address, capability, source="nvidia-smi", memory=memory)


def _memory(cell: str) -> int | None:
    """Read ``4096 MiB``; boards that share the CPU's memory have ``[N/A]``."""
    number, _, unit = cell.partition(" ")
    return int(number) if unit == "MiB" and number.isdecimal() and len(number) < 9 else None  # noqa: PLR2004


def _capability(row: dict[str, str]) -> ComputeCapability | None:
    try:
        return ComputeCapability.parse(row.get("compute_cap", ""))
    except InvalidValueError:
        pass
    try:
        # The cell is the device id before the vendor's: 0x233510DE.
        chip = chip_of(int(row["pci.device_id"], 16) >> 16)
    except ValueError as error:
        raise_foreign(error)
        return None
    return chip.capability if chip else None


def _first_line(reply: ChildReply) -> str:
    return reply.text.strip().partition("\n")[0][:120]
