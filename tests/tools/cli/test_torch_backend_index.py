"""``torch-backend`` on an index: unknown builds are read as a view reads them, and what pairs."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.views.stated_code import StatedCode
from tests.tools.views.clients import PIPS, clean_environment, installed, pip_environment, plain
from tests.tools.views.stand_in import StandIn
from tests.tools.views.test_pairs import add_vision
from tests.tools.views.test_stated_code import VERSION, indexes, view_of, wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[StandIn, StandIn]]:
    for name, text in clean_environment(tmp_path).items():
        monkeypatch.setenv(name, text)
    for name in [it for it in os.environ if it.startswith(("PIP_INDEX", "UV_INDEX", "UV_DEF"))]:
        monkeypatch.delenv(name)
    main_index, cuda = indexes()
    add_vision(main_index, cuda)
    with main_index.serving() as main_index.address, cuda.serving() as cuda.address:
        yield main_index, cuda


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["torch-backend", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("target", "torch", "vision"),
    [
        ("v100@580", "2.14.1+cu126", "0.29.1"),
        ("t4@580", f"{VERSION}+cu134", "0.99.0"),
        ("h100@550", f"{VERSION}+cu126", "0.99.0"),
    ],
)
def test_what_a_wheel_states_decides_and_the_address_and_companions_are_those_of_the_index(
    world: tuple[StandIn, StandIn], capsys: pytest.CaptureFixture[str], target: str, torch: str,
    vision: str,
) -> None:  # fmt: skip
    release, _, label = torch.partition("+")
    index = f"{world[1].address}/whl"
    code, out, err = output_of(capsys, "--index", index, "--url", "--target", target)

    assert (code, out) == (0, f"{index}/{label}\n")
    assert err.splitlines()[-1] == (
        f"hint: pip install torch=={release} torchvision=={vision} --index-url {index}/{label}"
    )
    assert "assumed" not in err.replace(f"{release} is assumed, the newest", "")
    assert ("is not in the table of builds: what its wheels state counts" in err) == (
        release == VERSION
    )


@pytest.mark.parametrize("target", ["v100@580", "t4@610", "h100@550", "rtx-5090@570", "k80@470"])
def test_its_choice_is_that_of_a_view_of_the_same_indexes(
    world: tuple[StandIn, StandIn],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    target: str,
) -> None:
    _, cuda = world
    nothing = StandIn()
    with nothing.serving() as nothing.address:
        view = view_of(target, nothing, cuda, StatedCode(Fetcher({}), tmp_path))
    newest = view.newest_shown
    _, out, _ = output_of(capsys, "--index", f"{cuda.address}/whl", "--target", target, "--json")
    answer = json.loads(out)
    is_gpu = newest and newest.best and newest.best.tier.is_gpu

    assert answer["path"] == (
        newest.best.label if newest and newest.best and is_gpu else "no-build"
    )
    if is_gpu and newest:
        assert answer["torch"] == str(newest.version)


def test_a_wheel_that_cannot_be_read_is_assumed_and_the_note_says_why(
    world: tuple[StandIn, StandIn], capsys: pytest.CaptureFixture[str]
) -> None:
    _, cuda = world
    cuda.answers[f"/whl/cu126/{wheel('+cu126', '')[0]}"] = (503, {}, b"later")
    index = f"{cuda.address}/whl"
    _, out, err = output_of(capsys, "--index", index, "--torch", "2.99", "--target", "h100@550")

    assert out == "cu126\n"
    assert re.search(
        r"the device code of 2\.15\.0 is assumed \(its wheel could not be read: .*503", err
    )


def test_only_the_release_that_is_asked_for_is_read(
    world: tuple[StandIn, StandIn], capsys: pytest.CaptureFixture[str]
) -> None:
    _, cuda = world
    index = f"{cuda.address}/whl"
    output_of(capsys, "--index", index, "--torch", "2.14", "--target", "h100@550")

    assert not [path for path in cuda.asked if path.endswith(".whl")]


@pytest.mark.clients
@pytest.mark.skipif(sys.platform != "linux", reason="the stand-in wheels are for Linux")
def test_the_command_of_a_configured_index_installs_torch_and_the_torchvision_that_pairs(
    world: tuple[StandIn, StandIn],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, cuda = world
    for project in ("torch", "torchvision"):
        named = f"/whl/cu134/{project}-"
        wheels = {
            path.rpartition("/")[2]: data
            for path, (_, data) in cuda.bodies.items()
            if path.startswith(named) and path.endswith(".whl")
        }
        cuda.add_page("/whl/cu134/", project, wheels, where="whl/{label}", as_html=True)
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"{cuda.address}/whl/cu126")
    _, out, err = output_of(capsys, "--url", "--target", "t4@580")
    hint = err.splitlines()[-1].removeprefix("hint: pip install ")
    done = plain(
        [pip_environment(PIPS[-1]), "-m", "pip", "install", "--target", tmp_path / "site"],
        shlex.split(hint),
        clean_environment(tmp_path),
    )

    assert out == f"{cuda.address}/whl/cu134\n"
    assert (done.code, installed(tmp_path / "site")) == (
        0,
        {"torch": f"{VERSION}+cu134", "torchvision": "0.99.0+cu134"},
    ), done.output
