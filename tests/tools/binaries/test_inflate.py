"""Both inflaters, Python's own and zlib-ng's: the same bytes, the same errors, the same bounds."""

from __future__ import annotations

import random
import subprocess
import sys
import zlib
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

import pytest
from zlib_ng import zlib_ng

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.binaries.inspector import inspect_path
from nvidia_variant_provider.tools.wheels import inflate
from nvidia_variant_provider.tools.wheels.source import STEP, InflatedSource
from tests.tools.binaries import packing
from tests.wheel_maker import Reopened

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).resolve().parents[3]
LIBRARY = packing.shared_object(
    packing.container(packing.real(80), packing.virtual(80)) + bytes(3 << 20),
    needed=("libcudart.so.12",),
)


@pytest.fixture(params=[zlib, zlib_ng], ids=["zlib", "zlib-ng"], autouse=True)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    chosen = request.param
    assert isinstance(chosen, ModuleType)
    monkeypatch.setattr(inflate, "library", chosen)
    return chosen


def member(folder: Path, data: bytes, packed: bytes | None = None) -> InflatedSource:
    packed = packing.deflated(data) if packed is None else packed
    path = folder / "member"
    path.write_bytes(b"before" + packed + b"after")
    return InflatedSource(Reopened(path), "member", 6, len(packed), len(data))


def noise(length: int) -> bytes:
    """Return bytes of which a part repeats, so that they pack to about a half."""
    source = random.Random(length)  # noqa: S311 - repeatable, not secret
    return b"".join(source.randbytes(64) + bytes(64) for _ in range(length // 128))


def test_the_chosen_library_inflates(library: ModuleType) -> None:
    assert type(inflate.inflater()) is type(library.decompressobj(-15))


@pytest.mark.parametrize("level", [0, 1, 9])
def test_a_member_comes_out_whole_and_in_parts(tmp_path: Path, level: int) -> None:
    data = noise(5 << 20)
    source = member(tmp_path, data, packing.deflated(data, level))
    chunks = list(source.chunks())

    assert b"".join(chunks) == data
    assert max(map(len, chunks)) <= STEP
    # From the states that were kept on the way, in no order.
    for at in (4_000_000, 17, 2_222_222, 5_242_800, 0):
        assert source.read_at(at, 3000) == data[at : at + 3000]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda _packed: b"\xff" * 40, "not a deflate stream"),
        (lambda packed: packed[: len(packed) // 2], "inflates to"),
        (lambda packed: packed[:1000] + b"\xff" * 64 + packed[1064:], "member: "),
    ],
    ids=["garbage", "cut", "overwritten"],
)
def test_damage_is_an_error_that_names_the_member(
    tmp_path: Path, spoil: Callable[[bytes], bytes], words: str
) -> None:
    data = noise(1 << 20)
    source = member(tmp_path, data, spoil(packing.deflated(data)))

    with pytest.raises(DamagedFileError, match=words):
        list(source.chunks())


def test_a_stream_that_goes_on_is_left(tmp_path: Path) -> None:
    packed = packing.deflated(bytes(200 << 20))
    (tmp_path / "bomb").write_bytes(packed)
    source = InflatedSource(Reopened(tmp_path / "bomb"), "bomb", 0, len(packed), 1 << 20)
    seen: list[int] = []

    with pytest.raises(DamagedFileError, match="bomb: inflates to more than"):
        seen.extend(map(len, source.chunks()))
    assert sum(seen) <= (1 << 20) + STEP


def test_a_wheel_is_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    path.write_bytes(packing.wheel({"demo/a.so": LIBRARY}))

    (found,) = inspect_path(str(path)).libraries

    assert (found.containers, found.needed, found.findings) == (1, ("libcudart.so.12",), ())


def test_memory_is_bounded_for_a_large_member(tmp_path: Path, library: ModuleType) -> None:
    data = noise(8 << 20) * 8
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    path.write_bytes(packing.wheel({"demo/a.so": LIBRARY + data}))
    script = (
        "import importlib, resource, sys\n"
        "from nvidia_variant_provider.tools.wheels import inflate\n"
        "from nvidia_variant_provider.tools.binaries.inspector import inspect_path\n"
        "inflate.library = importlib.import_module(sys.argv[2])\n"
        "inspect_path(sys.argv[1])\n"
        "print([it for it in open('/proc/self/status') if 'VmHWM' in it][0].split()[1])\n"
    )
    command = [sys.executable, "-c", script, str(path), library.__name__]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert int(done.stdout) < 64 << 10
