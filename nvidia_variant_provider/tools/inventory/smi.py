"""What nvidia-smi prints on one machine: --query-gpu, -L, -q, -q -x, and its complaints.

Only ``-q`` has the CUDA driver version; elsewhere it follows from the driver branch. Formats:
NVIDIA's manual page of nvidia-smi, and its output from R470 to R610.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from nvidia_variant_provider.errors import FleetError
from nvidia_variant_provider.tables.pci import chip_of
from nvidia_variant_provider.tools.inventory.fields import Place
from nvidia_variant_provider.tools.inventory.machine import StatedGpu, StatedMachine, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvidia_variant_provider.tools.inventory.hosts import Line

MAX_XML_BYTES: Final = 8 << 20

NAMES: Final = frozenset({"name", "gpu_name"})
_DRIVER: Final = "driver_version"
_CAPABILITY: Final = "compute_cap"
_DEVICE: Final = "pci.device_id"
FIELDS: Final = re.compile(
    r"(name|gpu_name|driver_version|compute_cap|count|index|uuid|gpu_uuid|serial|timestamp|vbios_version|"
    r"pstate|(pci|memory|utilization|clocks|power|temperature|mig|ecc|fan|display|gpu_serial)[\w.]*)"
    r"(\s*\[.*\])?"
)

# What nvidia-smi prints for a value it does not have, over the generations.
_ABSENT: Final = frozenset(
    {"[N/A]", "N/A", "[Not Supported]", "[Unknown Error]", "[GPU requires reset]", ""}
)

# What it prints instead of rows; the exit code is lost in a dump.
TROUBLES: Final = ("NVIDIA-SMI has failed", "Failed to initialize NVML", "NVIDIA-SMI couldn't")
_LOST: Final = ("Unable to determine the device handle", "GPU is lost", "GPU requires reset")
_NO_DEVICES: Final = "No devices were found"
NO_PROGRAM: Final = re.compile(
    r"(nvidia-smi: (command )?not found|command not found: nvidia-smi|No such file or directory|"
    r"is not recognized as|not found.*nvidia-smi|nvidia-smi.*not found|exited with exit code 127)"
)
_LISTED: Final = re.compile(r"GPU (\d+): (.+?) \(UUID: .*\)\s*")
_MIG: Final = re.compile(r"\s+MIG .*Device\s+\d+:.*")
_REPORT: Final = re.compile(r"\s*([A-Z][\w /.-]*?)\s*: ?(.*)")
_CPU_ONLY: Final = "no nvidia-smi: counted as a CPU machine"


QUERY: Final = "nvidia-smi --query-gpu=name,driver_version,compute_cap --format=csv > gpus.csv"


def parse_xml(text: str, source: str) -> StatedMachine:
    """Read what ``nvidia-smi -q -x`` prints; its DTD is not loaded, and entities are refused."""
    if "<!ENTITY" in text:
        raise FleetError(source, "", "", "an entity", "what nvidia-smi -q -x prints")
    try:
        root = ET.fromstring(text)  # noqa: S314 - entities are refused above, DTDs not loaded
    except (ET.ParseError, RecursionError) as error:
        raise FleetError(source, "", "", str(error), "what nvidia-smi -q -x prints") from error
    if root.tag != "nvidia_smi_log":
        raise FleetError(source, "", "", f"<{root.tag[:40]}>", "<nvidia_smi_log>")
    gpus = merged(
        StatedGpu(
            gpu.findtext("product_name", "").strip(),
            capability_of_pci(gpu.findtext("pci/pci_device_id", "")),
            1,
        )
        for gpu in root.iter("gpu")
    )
    cuda = root.findtext("cuda_version", "").strip()
    driver = root.findtext("driver_version", "").strip()
    return StatedMachine(gpus, driver, cuda if cuda[:1].isdigit() else "")


def machine(rows: Sequence[Line], source: str) -> StatedMachine:
    """Read all that one machine printed; raises ``FleetError`` for what nvidia-smi never prints."""
    useful, trouble, lost, missing = _sorted_out(rows)
    stated = StatedMachine()
    if useful:
        stated = _parsed(useful, source)
    if lost:
        loss = f"{lost} GPU lost: nvidia-smi cannot reach its handle"
        gpus = (*stated.gpus, StatedGpu("", "", lost))
        stated = stated._replace(gpus=gpus, assumed=(*stated.assumed, loss))
    if not stated.gpus and trouble:
        return StatedMachine((StatedGpu(),), no_driver=f"nvidia-smi: {trouble}")
    if not stated.gpus and missing:
        return StatedMachine(assumed=(_CPU_ONLY,))
    return stated


def _sorted_out(rows: Iterable[Line]) -> tuple[list[Line], str, int, bool]:
    useful: list[Line] = []
    trouble, lost, missing = "", 0, False
    for where, text in rows:
        if any(word in text for word in TROUBLES):
            trouble = text.strip()[:200]
        elif any(word in text for word in _LOST):
            lost += 1
        elif NO_PROGRAM.search(text):
            missing = True
        elif text.strip() and _NO_DEVICES not in text and "running as" not in text:
            useful.append((where, text))
    if trouble or missing:
        # Behind a complaint stands advice, and the return code of a shell.
        useful = [row for row in useful if "," in row[1] and not row[1].startswith("Make sure")]
    return useful, trouble, lost, missing


def _parsed(rows: list[Line], source: str) -> StatedMachine:
    first = rows[0][1]
    if _LISTED.fullmatch(first):
        return _listing(rows, source)
    if any(line.strip().startswith(("Driver Version ", "Attached GPUs ")) for _, line in rows[:20]):
        return _report(rows)
    return _query(rows, source)


def _listing(rows: Iterable[Line], source: str) -> StatedMachine:
    """Read ``nvidia-smi -L``, which names no driver; MIG devices stand below their GPU."""
    gpus = []
    for where, line in rows:
        if match := _LISTED.fullmatch(line):
            gpus.append(StatedGpu(match[2], "", 1))
        elif not _MIG.fullmatch(line):
            Place(source, where).fail("", line, "GPU 0: NAME (UUID: ...)")
    return StatedMachine(merged(gpus))


def _report(rows: Iterable[Line]) -> StatedMachine:
    """Read ``nvidia-smi -q``, which has no capability: the PCI id tells it."""
    gpus: list[StatedGpu] = []
    driver = cuda = ""
    for _, line in rows:
        match = _REPORT.fullmatch(line)
        if match is None:
            continue
        # R610 puts a remark in brackets behind these values.
        key, value = match[1], match[2].partition("(")[0].strip()
        if key in {"Driver Version", "KMD Version"} and not driver:
            driver = value
        elif key in {"CUDA Version", "CUDA UMD Version"} and not cuda:
            cuda = value if value[:1].isdigit() else ""
        elif key == "Product Name":
            gpus.append(StatedGpu(match[2].strip(), "", 1))
        elif key == "Device Id" and gpus:
            gpus[-1] = gpus[-1]._replace(capability=capability_of_pci(value))
    return StatedMachine(merged(gpus), driver, cuda)


def _query(rows: list[Line], source: str) -> StatedMachine:
    """Read ``--query-gpu=... --format=csv``, with a header, or guess the columns by their look."""
    cells = [(Place(source, where), Place(source, where).cells(line)) for where, line in rows]
    header = tuple(re.sub(r"\s*\[.*\]$", "", cell) for cell in cells[0][1])
    assumed: tuple[str, ...] = ()
    if NAMES & set(header) or _CAPABILITY in header:
        cells = [(place, row) for place, row in cells if not _is_header(row, header)]
    else:
        header = _guessed(*cells[0])
        assumed = ("columns: by their look, as there is no header",)
    gpus, driver = [], ""
    for place, row in cells:
        if len(row) != len(header):
            raise FleetError(*place, "", f"{len(row)} cells", f"{len(header)} as in the header")
        known = dict(zip(header, ("" if cell in _ABSENT else cell for cell in row), strict=True))
        driver = driver or known.get(_DRIVER, "")
        name = next((known[column] for column in sorted(NAMES) if known.get(column)), "")
        capability = known.get(_CAPABILITY, "") or capability_of_pci(known.get(_DEVICE, ""))
        gpus.append(StatedGpu(name, capability, 1))
    return StatedMachine(merged(gpus), driver, assumed=assumed)


def _is_header(row: Sequence[str], header: tuple[str, ...]) -> bool:
    return tuple(re.sub(r"\s*\[.*\]$", "", cell) for cell in row) == header


# The order of --query-gpu is the caller's; without a header a column is what it looks like.
_LOOKS: Final = (
    (_DRIVER, re.compile(r"\d{3}\.\d+(\.\d+)?")),
    (_CAPABILITY, re.compile(r"\d{1,2}\.\d")),
    (_DEVICE, re.compile(r"0x[0-9A-Fa-f]{4}10DE")),
    ("uuid", re.compile(r"(GPU|MIG)-[0-9a-f-]+")),
    ("index", re.compile(r"\d{1,3}")),
    ("other", re.compile(r"\[.*\]|[\d.]+( \S+)?|[0-9A-Fa-f:.]+|")),
)


def _guessed(place: Place, row: Sequence[str]) -> tuple[str, ...]:
    header = []
    for index, cell in enumerate(row):
        look = next((name for name, look in _LOOKS if look.fullmatch(cell)), "name")
        header.append(look if look not in header else f"{look} {index}")
    if "name" not in header or not any(character.isalpha() for character in "".join(row)):
        raise FleetError(*place, "", repr(",".join(row)), "a row with the GPU's name, or a header")
    if "is not a valid field to query" in row[0]:
        expected = "columns that this driver knows"
        raise FleetError(*place, "", row[0], expected, QUERY.replace(",compute_cap", ""))
    if _DRIVER not in header and _CAPABILITY not in header:
        expected = "columns with the GPU's name and the driver's version"
        raise FleetError(*place, "", repr(",".join(row)), expected, QUERY)
    return tuple(header)


def capability_of_pci(text: str) -> str:
    """Return the capability behind ``0x26B910DE``; empty where the id is not known."""
    digits = text.lower().removeprefix("0x")
    if not re.fullmatch(r"[0-9a-f]{4}(10de)?", digits):
        return ""
    chip = chip_of(int(digits[:4], 16))
    return str(chip.capability) if chip else ""
