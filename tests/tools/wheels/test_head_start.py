"""Copying that begins early: what is written is the same, byte for byte, and nothing is left."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.wheels.head_start import HeadStart
from nvidia_variant_provider.tools.wheels.rewrite import rewrite
from tests.wheel_maker import DIST_INFO, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

LIBRARY = {"demo/lib.so": bytes(range(256)) * 4000}
ADDED = {f"{DIST_INFO}/variant.json": b"{}\n"}


@pytest.fixture(name="out")
def _out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(ADDED, id="one more at the end"),
        pytest.param({"demo/__init__.py": b"answer = 43\n"}, id="the first changed"),
        pytest.param({"demo/lib.so": b"", **ADDED}, id="one between"),
    ],
)
@pytest.mark.parametrize("kind", ["plain", "streamed", "zip64"])
def test_the_wheel_is_the_same_with_and_without_it(
    tmp_path: Path, out: Path, changes: dict[str, bytes], kind: str
) -> None:
    wheel = make_wheel(tmp_path, LIBRARY, streamed=kind == "streamed", zip64=kind == "zip64")

    rewrite(wheel, out / "without.whl", changes)
    with HeadStart(str(wheel), str(out)) as head:
        assert head.wait()
        rewrite(wheel, out / "with.whl", changes, head=head)

    assert (out / "with.whl").read_bytes() == (out / "without.whl").read_bytes()
    assert sorted(os.listdir(out)) == ["with.whl", "without.whl"]


@pytest.mark.parametrize("size", [0, 10, 100, 2000])
def test_a_copy_that_ended_early_is_gone_on_with(tmp_path: Path, out: Path, size: int) -> None:
    wheel = make_wheel(tmp_path, LIBRARY)

    rewrite(wheel, out / "without.whl", ADDED)
    with HeadStart(str(wheel), str(out)) as head:
        assert head.wait()
        os.truncate(head.path, size)
        rewrite(wheel, out / "with.whl", ADDED, head=head)

    assert (out / "with.whl").read_bytes() == (out / "without.whl").read_bytes()


def test_without_the_system_call_the_wheel_is_written_all_the_same(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "copy_file_range", raising=False)
    wheel = make_wheel(tmp_path, LIBRARY)

    with HeadStart(str(wheel), str(out)) as head:
        assert not head.wait()
        rewrite(wheel, out / "with.whl", ADDED, head=head)

    assert os.listdir(out) == ["with.whl"]


def test_what_is_not_taken_is_removed(tmp_path: Path, out: Path) -> None:
    wheel = make_wheel(tmp_path, LIBRARY)

    with pytest.raises(KeyboardInterrupt), HeadStart(str(wheel), str(out)):
        raise KeyboardInterrupt
    with HeadStart(str(tmp_path / "absent.whl"), str(out)) as absent:
        assert not absent.wait()
    with HeadStart(str(wheel), str(out / "absent")) as nowhere:
        assert not nowhere.wait()

    assert os.listdir(out) == []


def test_a_damaged_wheel_leaves_nothing(tmp_path: Path, out: Path) -> None:
    wheel = make_wheel(tmp_path, LIBRARY)
    wheel.write_bytes(wheel.read_bytes()[:-1])

    with HeadStart(str(wheel), str(out)) as head, pytest.raises(DamagedFileError):
        rewrite(wheel, out / "with.whl", ADDED, head=head)

    assert os.listdir(out) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--property", "nvidia::sm_arch::90_real", "--label", "x"], 0),
        (["--archs", "9.0", "--lower-bound", "12.0"], 0),
        (["--null"], 0),
        (["--property", "nvidia::sm_arch::90_reel", "--label", "x"], 2),
        (["--null", "--label", "cpu"], 2),
    ],
)
def test_the_command_leaves_the_wheel_and_nothing_else(
    tmp_path: Path, out: Path, arguments: list[str], code: int
) -> None:
    wheel = make_wheel(tmp_path, LIBRARY)

    assert main(["tag", str(wheel), "-o", str(out), *arguments]) == code
    assert [name.endswith(".whl") for name in os.listdir(out)] == [True] * (code == 0)
