"""What is fuzzed of the tools: files that come from elsewhere, damaged.

A reader returns a value or raises its documented error; it neither hangs nor believes a size.
"""

# ruff: noqa: PT017 - whether there is an error is not known beforehand
from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import (
    DamagedFileError,
    FleetError,
    InvalidValueError,
    ProviderError,
)
from nvidia_variant_provider.tools import inventory
from nvidia_variant_provider.tools.binaries import elf, gpu_shares, pe, runtime
from nvidia_variant_provider.tools.binaries.inspector import inspect_path
from nvidia_variant_provider.tools.binaries.library import read_library
from nvidia_variant_provider.tools.inventory.summary import summarise
from nvidia_variant_provider.tools.metadata.reading import parse_metadata
from nvidia_variant_provider.tools.releases.files import read_wheel_file
from nvidia_variant_provider.tools.releases.pages import parse_page
from nvidia_variant_provider.tools.tagging.inference import from_code
from nvidia_variant_provider.tools.wheels.source import BytesSource
from tests.fuzz.mutate import mutate
from tests.fuzz.mutate_bytes import mutate_bytes
from tests.tools.binaries import packing
from tests.wheel_maker import cuda_library, files_of_wheel, pack, with_zip64_end

if TYPE_CHECKING:
    from random import Random

    from nvidia_variant_provider.tools.binaries.report import Contents

DATA: Final = Path(__file__).resolve().parents[1] / "data"
_FOLDER: Final = Path(tempfile.mkdtemp(prefix="fuzz-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)

_KEPT: Final = (".so", ".a", ".fatbin", ".cubin", ".ptx")
LIBRARIES: Final = tuple(
    path.read_bytes()
    for path in sorted((DATA / "binaries").iterdir())
    if path.suffix in _KEPT and path.stat().st_size < 1 << 18
)
FATBINS: Final = (
    packing.container(packing.real(80), packing.virtual(80), packing.real(90, kernel=False)),
    cuda_library("80", "90a", "100f", "90p", containers=3),
    *(it for it in LIBRARIES if it.startswith(b"\x50\xed\x55\xba")),
)
VARIANT: Final = {
    "default-priorities": {"namespace": ["nvidia"]},
    "providers": {"nvidia": {"requires": ["nvidia-variant-provider"]}},
    "variants": {
        "null": {},
        "cuda13.0": {"nvidia": {"cuda_version_lower_bound": ["13.0"], "sm_arch": ["90_real"]}},
    },
}
METADATA: Final = json.dumps(VARIANT)
_WHEELS: Final = tuple(
    pack(files_of_wheel({"demo/_ext.so": cuda_library("80", "90")}), streamed=streamed, zip64=wide)
    for streamed in (False, True)
    for wide in (False, True)
)
WHEELS: Final = (*_WHEELS, with_zip64_end(_WHEELS[0]))
FLEETS: Final = tuple(
    path.read_text("utf-8", "replace")
    for path in sorted((DATA / "inventory").iterdir())
    if ".expected." not in path.name and path.name != "SOURCES.tsv" and path.stat().st_size < 20_000
)
PAGES: Final = (
    '<a href="demo-1.0-py3-none-any.whl#sha256=00">demo-1.0-py3-none-any.whl</a>',
    '{"files": [{"filename": "a.whl", "url": "a.whl", "hashes": {"sha256": "0"}}]}',
)


def fuzz_fatbin(random: Random) -> None:
    """Containers, entries and cubins in any bytes."""
    data = mutate_bytes(random, random.choice(FATBINS), FATBINS)
    library = read_library(BytesSource("x", data, random.choice((64, 4096, 1 << 16))))
    if library is not None:
        _check_library(library.kernel_containers, library.containers)


def fuzz_library(random: Random) -> None:
    """Shared objects, archives, cubins and PTX with damage anywhere."""
    data = mutate_bytes(random, random.choice(LIBRARIES), LIBRARIES)
    try:
        library = read_library(BytesSource("x", data))
    except DamagedFileError:
        return
    if library is not None:
        _check_library(library.kernel_containers, library.containers)
        runtime.library_bounds(library)
        gpu_shares.build_matrix(library.profiles)


def fuzz_host_headers(random: Random) -> None:
    """The headers of ELF and PE files: sections, imports, needed libraries."""
    elf_file = packing.shared_object(b"x" * 300, needed=("libcudart.so.12", "libc.so.6"))
    pe_file = packing.dll(b"x" * 300, imports=("cudart64_12.dll",))
    data = mutate_bytes(random, random.choice((elf_file, pe_file)), (elf_file, pe_file))
    for read in (lambda source: elf.read_host(source, sections=True), pe.read_host):
        try:
            host = read(BytesSource("x", data))
        except DamagedFileError:
            continue
        assert host is None or len(host.needed) <= 2048


def fuzz_wheel(random: Random) -> None:
    """A wheel as a zip file: its directory, its members, what they hold."""
    path = _FOLDER / "demo-1.0-py3-none-any.whl"
    path.write_bytes(mutate_bytes(random, random.choice(WHEELS), WHEELS))
    try:
        contents = inspect_path(str(path))
    except DamagedFileError:
        pass
    else:
        _tag(contents)
    try:
        read_wheel_file(str(path))
    except (InvalidValueError, DamagedFileError):
        return


def fuzz_metadata(random: Random) -> None:
    """Variant metadata is read or refused, naming its source."""
    data = mutate(random, METADATA, [METADATA]).encode("utf-8", "surrogatepass")
    try:
        parse_metadata(data, "demo-1.0-variants.json")
    except InvalidValueError as error:
        assert "demo-1.0-variants.json" in str(error)


def fuzz_fleet(random: Random) -> None:
    """Lists of machines of all kinds, told apart by their content."""
    path = _FOLDER / "fleet"
    text = mutate(random, random.choice(FLEETS), list(FLEETS))
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        summarise(inventory.read(inventory.Partition(str(path))))
    except FleetError:
        return


def fuzz_page(random: Random) -> None:
    """A project's page of an index, as HTML and as JSON."""
    text = mutate(random, random.choice(PAGES), list(PAGES))
    kind = random.choice(("text/html", "application/vnd.pypi.simple.v1+json", "", "text/plain"))
    try:
        files = parse_page(text.encode("utf-8", "surrogatepass"), kind, "https://host.example/x/")
    except ProviderError:
        return
    assert all(it.url for it in files)


def _check_library(with_kernels: int, containers: int) -> None:
    assert 0 <= with_kernels <= containers


def _tag(contents: Contents) -> None:
    try:
        statement = from_code(contents, 0.75, None)
    except InvalidValueError:
        return
    assert statement.features


TARGETS: Final = (
    (fuzz_fatbin, 3),
    (fuzz_library, 3),
    (fuzz_host_headers, 2),
    (fuzz_wheel, 2),
    (fuzz_metadata, 3),
    (fuzz_fleet, 4),
    (fuzz_page, 3),
)
