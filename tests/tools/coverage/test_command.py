from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from examples.torch.releases import release as torch_release
from nvidia_variant_provider.tools.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMA = Path(__file__).parents[3] / "schemas" / "coverage.schema.json"


@pytest.fixture
def source(tmp_path: Path) -> str:
    path = tmp_path / "torch-2.14.1-variants.json"
    path.write_text(torch_release("2.14.1").to_json())
    return str(path)


def coverage(source: str, *options: str) -> Sequence[str]:
    return ["coverage", source, *options]


def test_json_is_as_its_schema_says(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    targets = ("--target", "v100@580", "--target", "gb200@570")

    assert main(coverage(source, "--json", *targets)) == 0
    document = json.loads(capsys.readouterr().out)

    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert {row["device"]: (row["label"], row["hole"]) for row in document["rows"]} == {
        "Tesla V100": ("cuda12.6", False),
        "GB200 Grace Blackwell": ("null", True),
    }
    assert document["mirror"] == ["cuda12.6", "null"]
    for row in document["rows"]:
        refused = [found["label"] for found in row["refused"]]
        assert sorted([*row["order"], *refused]) == sorted(document["variants"])
        assert all(found["reason"] for found in row["refused"])


def test_csv_has_every_variant_of_every_kind(
    source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(coverage(source, "--csv", "--target", "v100@580"))
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))

    assert {row["variant"] for row in rows} == set(torch_release("2.14.1").variants)
    assert [row["variant"] for row in rows if row["rank"] == "1"] == ["cuda12.6"]


def test_table_shows_holes_and_the_mirror(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(coverage(source, "--target", "gb200@570"))
    shown = " ".join(capsys.readouterr().out.split())

    assert "HOLE" in shown
    assert "needs CUDA >= 13.0" in shown
    assert "a mirror must carry: null" in shown


def test_lists_of_several_kinds_are_counted_together(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slurm = tmp_path / "slurm.json"
    slurm.write_text(json.dumps({"nodes": [{"name": "s1", "gres": "gpu:h100:8"}] * 3}))
    fleet = tmp_path / "fleet.csv"
    fleet.write_text("target,count\nh100,40\n")

    main(coverage(
        source, "--json", "--inventory", str(slurm), "--inventory", str(fleet), "--driver", "580"
    ))  # fmt: skip
    document = json.loads(capsys.readouterr().out)

    assert document["machines"] == 43
    assert {row["driver_branch"] for row in document["rows"]} == {580}


def test_fail_on_is_an_exit_code(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(coverage(source, "--target", "gb200@570", "--fail-on", "hole")) == 1
    assert main(coverage(source, "--target", "h100@580", "--fail-on", "hole")) == 0
    capsys.readouterr()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        pytest.param(["--target", "h10000"], "h10000", id="unknown target"),
        pytest.param(["--driver", "new"], "driver release such as", id="driver"),
        pytest.param(["--inventory", "no-such-file.csv"], "no-such-file.csv", id="missing list"),
        pytest.param(["--target", "t4@535", "--requirements", "x"], "hashes need", id="no wheels"),
        pytest.param(["--dask", "tcp://h:1", "--inventory", "-"], "standard input", id="dask"),
        pytest.param(
            ["--target", "t4@535", "--html", "/nowhere/x"], "cannot be written", id="html"
        ),
    ],
)
def test_misuse_exits_with_2_and_one_line(
    options: list[str], named: str, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(coverage(source, *options)) == 2
    said = capsys.readouterr().err

    assert named in said
    assert said.startswith("nvidia-variant-provider coverage: error: ")
    assert said.count("\n") == 1


def test_empty_list_is_an_error(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = tmp_path / "nodes.json"
    nodes.write_text('{"items": []}')

    assert main(coverage(source, "--inventory", str(nodes))) == 2
    assert "no machine in the lists" in capsys.readouterr().err
