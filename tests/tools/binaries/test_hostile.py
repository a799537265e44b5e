"""Input made to harm: random and mutated bytes, and the memory that reading takes."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.binaries.inspector import inspect_path
from nvidia_variant_provider.tools.binaries.json_model import Inspection
from nvidia_variant_provider.tools.binaries.library import read_library
from nvidia_variant_provider.tools.binaries.report import Library
from nvidia_variant_provider.tools.wheels.source import BytesSource
from tests.tools.binaries import packing

if TYPE_CHECKING:
    from collections.abc import Callable

DATA: Final = Path(__file__).parent.parent.parent / "data" / "binaries"
SEEDS: Final = {
    "elf": packing.shared_object(
        packing.container(packing.real(80), packing.virtual(80)), needed=("libcudart.so.12",)
    ),
    "pe": packing.dll(packing.container(packing.real(90)), imports=("cudart64_12.dll",)),
    "cubin": packing.cubin(90, new=True),
    "ptx": packing.ptx(80),
    **{
        name: (DATA / name).read_bytes()
        for name in ("zstd.fatbin", "lz4.fatbin", "concat.fatbin", "libaxpy.so", "sm100f.cubin")
    },
}
WHEEL: Final = packing.wheel({"a.so": SEEDS["elf"], "b.fatbin": SEEDS["lz4.fatbin"]})

mutations = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=9)), max_size=6
)


def mutated(data: bytes, changes: list[tuple[float, bytes]], cut: float) -> bytes:
    changed = bytearray(data)
    for place, piece in changes:
        at = int(place * len(data))
        changed[at : at + len(piece)] = piece
    return bytes(changed[: int(len(changed) * cut)])


def attempt(data: bytes, step: int) -> Library | str | None:
    """Read bytes as a file; an error comes back as its text."""
    try:
        return read_library(BytesSource("hostile", data, step))
    except DamagedFileError as error:
        return str(error)


@settings(max_examples=400, deadline=None)
@given(
    seed=st.sampled_from(sorted(SEEDS)),
    changes=mutations,
    cut=st.floats(0.3, 1),
    step=st.sampled_from([13, 100, 65536]),
)
def test_mutated_files_are_read_or_refused(
    seed: str, changes: list[tuple[float, bytes]], cut: float, step: int
) -> None:
    data = mutated(SEEDS[seed], changes, cut)
    first, second = attempt(data, step), attempt(data, 65536)

    assert first == second
    assert isinstance(first, Library) or first is None or first.startswith("hostile: ")


@settings(max_examples=300, deadline=None)
@given(head=st.sampled_from([b"", b"MZ", b"!<arch>\n", b"\x7fELF\x02\x01\x01"]), tail=st.binary())
def test_random_files_are_read_or_refused(head: bytes, tail: bytes) -> None:
    data = head + tail
    found = attempt(data, 64)

    if isinstance(found, Library):
        assert found.size == len(data)
    else:
        assert found is None or found.startswith("hostile: ")


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=mutations, cut=st.floats(0.5, 1))
def test_mutated_wheels_are_reported_or_refused(
    tmp_path: Path, changes: list[tuple[float, bytes]], cut: float
) -> None:
    path = tmp_path / "hostile.whl"
    path.write_bytes(mutated(WHEEL, changes, cut))
    try:
        contents = inspect_path(str(path))
    except DamagedFileError as error:
        text = str(error)
    else:
        text = Inspection.of([contents], []).files[0].path

    assert text.startswith(str(path))


LIMIT_MB: Final = 64
CHILD: Final = """
import sys
from nvidia_variant_provider.tools.binaries.inspector import inspect_path
from nvidia_variant_provider.tools.binaries.json_model import Inspection
contents = inspect_path(sys.argv[1], jobs=2)
document = Inspection.of([contents], []).model_dump(mode="json")
# Not getrusage: its peak starts with that of the process which started this one.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) // 1024, len(document["files"]))
"""


def peak_of(path: Path) -> int:
    """Read a file in a child process and return its peak memory in MB."""
    command = [sys.executable, "-c", CHILD, str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    peak, files = map(int, result.stdout.split())
    assert files == 1
    return peak


def big_wheel(path: Path) -> None:
    """Two libraries of 300 MB, with a container of one huge cubin in each."""
    huge = packing.cubin(90) + bytes(range(256)) * (1 << 19)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("a.so", "b.so"):
            with archive.open(name, "w") as member:
                member.write(packing.shared_object(b""))
                member.write(packing.container(packing.Entry(packing.CUBIN, 90, huge)))
                for _ in range(40):
                    # Blocks that do not pack away: the member must not look like a bomb.
                    member.write(bytes(range(255)) * (1 << 14))


def crowded_wheel(path: Path) -> None:
    """Many small libraries and cubins, each with code."""
    library = packing.shared_object(packing.container(packing.real(80), packing.virtual(80)))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(15000):
            archive.writestr(f"pkg/cubins/{'long/' * 20}{number}.cubin", packing.cubin(90))
        for number in range(500):
            archive.writestr(f"pkg/{number}.so", library)


def container_bomb(path: Path) -> None:
    """A library of nothing but empty containers."""
    data = packing.shared_object(packing.container() * 2_000_000)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.so", data)


@pytest.mark.parametrize("make", [big_wheel, crowded_wheel, container_bomb])
def test_memory_is_bounded_for_any_wheel(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "large.whl"
    make(path)

    assert peak_of(path) <= LIMIT_MB
