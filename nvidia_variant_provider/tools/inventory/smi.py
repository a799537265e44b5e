"""GPUs from ``nvidia-smi --query-gpu=name,driver_version,compute_cap --format=csv``.

One file is one machine, unless every line starts with ``host: `` as pdsh and clush write it.
nvidia-smi prints no CUDA version here: it follows from the driver branch.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from nvidia_variant_provider.errors import FleetError
from nvidia_variant_provider.tools.coverage.fleet import Record
from nvidia_variant_provider.tools.coverage.kinds import Facts
from nvidia_variant_provider.tools.inventory.fields import Place
from nvidia_variant_provider.tools.inventory.streams import lines

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST: Final = re.compile(r"([A-Za-z0-9][\w.-]{0,252}): (.*)")
_NAMES: Final = frozenset({"name", "gpu_name"})
_DRIVER: Final = "driver_version"
_CAPABILITY: Final = "compute_cap"

# What nvidia-smi prints for a value it does not have, over the generations.
_ABSENT: Final = frozenset({"[N/A]", "N/A", "[Not Supported]", "[Unknown Error]", ""})

# What it prints instead of rows; the exit code is lost in a dump.
_TROUBLES: Final = (
    "NVIDIA-SMI has failed",
    "Failed to initialize NVML",
    "NVIDIA-SMI couldn't",
    "Unable to determine the device handle",
)
_NO_DEVICES: Final = "No devices were found"


class _Gpu(NamedTuple):
    name: str
    driver: str
    capability: str


class _Host:
    """What has been read of one machine."""

    __slots__ = ("columns", "gpus", "trouble", "where")

    def __init__(self, where: str) -> None:
        self.where = where
        self.columns: tuple[str, ...] = ()
        self.gpus: dict[_Gpu, None] = {}
        self.trouble = ""

    def facts(self) -> Facts:
        """Return what the rows say together."""
        if not self.gpus and self.trouble:
            return Facts(capabilities=("",), no_driver=f"nvidia-smi: {self.trouble}")
        capabilities = {gpu.capability for gpu in self.gpus}
        return Facts(
            devices=tuple(sorted({gpu.name for gpu in self.gpus if gpu.name})),
            # One GPU that does not tell leaves the others' capabilities standing.
            capabilities=tuple(sorted(capabilities)) if capabilities != {""} else (),
            driver=next((gpu.driver for gpu in self.gpus if gpu.driver), ""),
        )


def read(stream: BinaryIO, source: str) -> Iterator[Record]:
    """Yield one record a machine, in the order of their first lines."""
    hosts: dict[str, _Host] = {}
    columns: dict[tuple[str, ...], tuple[str, ...]] = {}
    gpus: dict[_Gpu, _Gpu] = {}
    for where, line in lines(stream, source):
        if not line.strip():
            continue
        name, text = _split_host(line)
        host = hosts.setdefault(name, _Host(where))
        if any(trouble in text for trouble in _TROUBLES):
            host.trouble = text.strip()[:200]
        elif _NO_DEVICES not in text and not (host.trouble and not host.columns):
            _take(host, Place(source, where), text, columns, gpus)
    for name, host in hosts.items():
        yield Record(host.facts(), 1, name or source, source, host.where)


def _split_host(line: str) -> tuple[str, str]:
    match = _HOST.fullmatch(line)
    # A message of nvidia-smi has a colon too; only rows and known messages have a host before it.
    if match is None or line.startswith(_TROUBLES):
        return "", line
    return match[1], match[2]


def _take(
    host: _Host,
    place: Place,
    text: str,
    columns: dict[tuple[str, ...], tuple[str, ...]],
    gpus: dict[_Gpu, _Gpu],
) -> None:
    """Add one line to its machine; equal headers and GPUs are kept once for all machines."""
    cells = place.cells(text)
    if not host.columns:
        header = tuple(re.sub(r"\s*\[.*\]$", "", cell) for cell in cells)
        if not _NAMES & set(header) and _CAPABILITY not in header:
            raise FleetError(
                *place, "", text, "a header with name or compute_cap (so not noheader)"
            )
        host.columns = columns.setdefault(header, header)
        return
    if tuple(re.sub(r"\s*\[.*\]$", "", cell) for cell in cells) == host.columns:
        return
    if len(cells) != len(host.columns):
        raise FleetError(*place, "", f"{len(cells)} cells", f"{len(host.columns)} as in the header")
    row = {
        column: "" if cell in _ABSENT else cell
        for column, cell in zip(host.columns, cells, strict=True)
    }
    found = _Gpu(
        next((row[column] for column in _NAMES if row.get(column)), ""),
        row.get(_DRIVER, ""),
        row.get(_CAPABILITY, ""),
    )
    host.gpus[gpus.setdefault(found, found)] = None
