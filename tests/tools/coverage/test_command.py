from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.demo.releases import release as torch_release

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


def test_problems_are_printed_in_the_forms_of_other_checks(
    source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(coverage(source, "--target", "gb200@570", "--output-format", "github"))
    lines = capsys.readouterr().out.splitlines()

    assert [line.partition(" ")[0] for line in lines] == ["::error", "::notice"]
    assert lines[0].startswith(f"::error file={source},line=1,title=hole::hole: null: GB200")
    assert ",title=unused::unused: cuda12.6, " in lines[1]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        pytest.param(["--target", "h10000"], "h10000", id="unknown target"),
        pytest.param(["--driver", "new"], "driver release such as", id="driver"),
        pytest.param(["--inventory", "no-such-file.csv"], "no-such-file.csv", id="missing list"),
        pytest.param(["--target", "t4@535", "--lock", "x"], "hashes need", id="no wheels"),
        pytest.param(["--lock", "pylock.toml"], "refuse a pylock.toml", id="pylock"),
        pytest.param(["--what-if", "driver"], "expected driver=580 or add", id="question"),
        pytest.param(["--what-if", "driver=12"], "driver release such as", id="no branch"),
        pytest.param(["--what-if", "driver=099"], "not a known driver branch", id="old branch"),
        pytest.param(["--what-if", "add=x"], "a label such as cuda12.6", id="no label"),
        pytest.param(["--what-if", "add=cuda12.6"], "the release has this", id="known label"),
        pytest.param(["--what-if", "add=cuda1.0"], "builds for no known GPU", id="too old"),
        pytest.param(["--dask", "tcp://h:1", "--inventory", "-"], "standard input", id="dask"),
        pytest.param(["--target", "t4@535", "--html", "/dev/null/x"], "/dev/null", id="html"),
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
    assert "nodes.json: no machine; expected at least one" in capsys.readouterr().err


def test_what_if_says_which_machines_would_choose_otherwise(
    source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    machines = [*("--target", "gb200@570"), *("--target", "v100@535"), *("--target", "t4@450")]
    questions = ["--what-if", "driver=580", "--what-if", "add=cuda12.8"]

    assert main(coverage(source, "--json", *machines, *questions)) == 0
    document = json.loads(capsys.readouterr().out)

    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    driver, variant = document["what_if"]
    assert (document["holes"], driver["holes"], variant["holes"]) == (2, 0, 1)
    assert driver["changes"] == [
        {
            "machines": 2, "before": "null", "after": "cuda13.2",
            "devices": ["GB200 Grace Blackwell", "Tesla T4"],
        },
    ]  # fmt: skip
    assert [(change["before"], change["devices"]) for change in variant["changes"]] == [
        ("null", ["GB200 Grace Blackwell"])
    ]


def test_what_if_is_told_to_people(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(coverage(source, "--target", "gb200@570", "--what-if", "driver=580"))
    main(coverage(source, "--target", "h100@580", "--what-if", "driver=570"))
    said = capsys.readouterr().out

    assert "what if driver=580: holes 1 -> 0" in said
    assert "assumed: R580 replaces every older driver" in said
    assert "no machine would choose otherwise" in said


def test_metrics_for_prometheus(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(coverage(source, "--prometheus", "--target", "v100@580", "--target", "gb200@570"))
    lines = capsys.readouterr().out.splitlines()

    release = 'package="torch",version="2.14.1"'
    assert (
        f'nvidia_variant_coverage_machines{{{release},variant="cuda12.6",ending="gpu"}} 1' in lines
    )
    assert f"nvidia_variant_coverage_holes{{{release}}} 1" in lines
    assert f'nvidia_variant_coverage_problems{{{release},problem="hole"}} 1' in lines
    assert all(
        line.startswith(("# HELP ", "# TYPE ", "nvidia_variant_coverage_")) for line in lines
    )


def test_entries_that_cannot_be_read_are_named_together_or_skipped_and_counted(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = tmp_path / "nodes.json"
    rows = [{"gres": 3}, {"name": "b", "gres": "gpu:t4:1"}, {"gres": "gpu:a:b:c:d"}]
    nodes.write_text(json.dumps({"nodes": rows}))

    assert main(coverage(source, "--inventory", str(nodes))) == 2
    refused = capsys.readouterr().err
    assert main(coverage(source, "--json", "--inventory", str(nodes), "--skip-invalid")) == 0
    document = json.loads(capsys.readouterr().out)

    assert "nodes[0]: gres: 3; expected" in refused
    assert "nodes[2]: gres: '" in refused
    assert "hint: --skip-invalid leaves such entries out\n" in refused
    assert (document["machines"], document["skipped"]) == (1, 2)


def test_files_are_written_before_anything_is_printed(source: str, tmp_path: Path) -> None:
    import subprocess
    import sys

    page = tmp_path / "page.html"
    command = [sys.executable, "-m", "nvidia_variant_provider", "coverage", source, "--csv"]
    asked = subprocess.Popen(
        [*command, "--html", str(page), "--fail-on", "hole"], stdout=subprocess.PIPE
    )
    assert asked.stdout is not None
    asked.stdout.readline()
    asked.stdout.close()

    assert asked.wait(60) == 1
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_cells_of_csv_are_no_formulas(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = tmp_path / "fleet.csv"
    fleet.write_text('name,device,capability\n"=cmd|calc","=HYPERLINK(1)",9.0\n')

    main(coverage(source, "--csv", "--inventory", str(fleet)))
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))

    assert {(row["device"], row["example"]) for row in rows} == {("'=HYPERLINK(1)", "'=cmd|calc")}


def test_credentials_in_an_address_are_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", "http://user:secret@127.0.0.1:9/simple/", "--package", "torch"]) == 2
    said = capsys.readouterr().err

    assert "127.0.0.1:9" in said
    assert "secret" not in said


def test_installer_that_knows_no_variants_gets_them_through_a_view(
    source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(coverage(source, "--json", "--target", "v100@580", "--installer", "pip")) == 0
    document = json.loads(capsys.readouterr().out)
    (row,) = document["rows"]
    assert main(coverage(source, "--target", "v100@580", "--installer", "pip")) == 0
    shown = capsys.readouterr().out

    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert (document["installer"], row["ending"], row["hole"]) == ("pip", "nothing", True)
    assert row["through_view"] == "cuda12.6"
    assert "as pip" in shown
    assert "through a view" in shown


def test_installer_that_knows_variants_answers_by_its_rules(
    source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(coverage(source, "--json", "--target", "v100@580", "--installer", "uv")) == 0
    by_name = json.loads(capsys.readouterr().out)
    assert main(coverage(source, "--json", "--target", "v100@580", "--rules", "0")) == 0

    assert by_name == json.loads(capsys.readouterr().out)
    assert main(coverage(source, "--installer", "uv", "--rules", "1")) == 2
    assert main(coverage(source, "--installer", "pip", "--what-if", "driver=580")) == 2
