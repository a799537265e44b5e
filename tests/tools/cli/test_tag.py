"""The commands tag and untag: what they print, write and return."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.metadata.reading import parse_metadata
from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel
from tests.tools.binaries import packing
from tests.wheel_maker import DIST_INFO, cuda_library, cuda_wheel, make_wheel

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"


def tag(*arguments: object) -> int:
    return main(["tag", *map(str, arguments)])


def run_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    """Run ``tag --json`` and return its document, held to the schema."""
    assert tag(*arguments, "--json") == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads((SCHEMAS / "tagging.schema.json").read_text("utf-8")))
    (wheel,) = document["wheels"]
    return dict(wheel)


def failure(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert tag(*arguments) == 2
    return capsys.readouterr().err


def metadata_of(path: str) -> dict[str, Any]:
    with OpenWheel(path) as wheel:
        data = wheel.read("variant.json")
    return {
        label: {name: dict(features) for name, features in variant.items()}
        for label, variant in parse_metadata(data, path).variants.items()
    }


def test_properties_are_inferred_from_the_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = cuda_wheel(tmp_path, "80", "90a")

    document = run_json(capsys, wheel, "-o", tmp_path)

    assert document["label"] == "cuda12.4"
    expected = {"sm_arch": ("80_real", "90_real"), "cuda_version_lower_bound": ("12.0",)}
    assert metadata_of(document["target"]) == {"cuda12.4": {"nvidia": expected}}
    assert [claim["targets"] for claim in document["claims"]] == [{"80": 1}, {"90a": 1}]
    assert "linked with libcudart.so.12" in document["lower_bound"]["evidence"]


def test_stated_ptx_raises_the_bound_to_its_version(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = cuda_wheel(tmp_path, "80", "80p", isa=(8, 2))

    with_ptx = run_json(capsys, wheel, "--dry-run")
    without = run_json(capsys, wheel, "--dry-run", "--no-ptx")

    assert with_ptx["variant"]["nvidia"] == {
        "sm_arch": ["80_real", "80_virtual"],
        "cuda_version_lower_bound": ["12.2"],
    }
    assert without["variant"]["nvidia"] == {
        "sm_arch": ["80_real"],
        "cuda_version_lower_bound": ["12.0"],
    }


def test_what_the_ptx_costs_is_told_in_machines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = make_wheel(
        tmp_path,
        {"demo/_ext.so": cuda_library("90", "90p", isa=(9, 5), needed="libcudart.so.13")},
    )

    costly = run_json(capsys, wheel, "--dry-run")
    cheap = run_json(capsys, wheel, "--dry-run", "--no-ptx")

    (note,) = costly["notes"]
    assert note == (
        "the stated PTX raises the lower bound from 13.0 to 13.5: machines with driver branches"
        " R580 to R615 (CUDA 13.0 to 13.4) get another build, the CPU build if there is no other;"
        " --no-ptx avoids that"
    )
    assert (cheap["lower_bound"]["value"], cheap["notes"]) == ("13.0", [])


def test_a_wheel_that_is_linked_with_cuda_can_state_a_lower_bound_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = packing.shared_object(b"", needed=("libcudart.so.12",))
    wheel = make_wheel(tmp_path, {"demo/_ext.so": library})

    error = failure(capsys, wheel, "-o", tmp_path)
    shown = error.partition("to state that alone: ")[2].splitlines()[0]

    document = run_json(capsys, wheel, "-o", tmp_path, *shlex.split(shown))
    assert document["variant"] == {"nvidia": {"cuda_version_lower_bound": ["12.0"]}}
    assert document["label"] == "cuda12.0"


def test_ptx_of_an_unknown_version_needs_a_bound_that_somebody_knows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = cuda_wheel(tmp_path, "90", "90p", isa=(9, 99))

    error = failure(capsys, wheel, "--dry-run")
    without = run_json(capsys, wheel, "--dry-run", "--no-ptx")
    given = run_json(capsys, wheel, "--dry-run", "--lower-bound", "14.0")

    assert "no known driver compiles PTX" in error
    assert "--lower-bound" in error
    bounds = [document["lower_bound"]["value"] for document in (without, given)]
    assert bounds == ["12.0", "14.0"]


def test_evidence_is_shown_and_a_dry_run_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    wheel = cuda_wheel(tmp_path, "80", "100a")

    code = tag(wheel, "--dry-run")

    shown = capsys.readouterr().out
    assert code == 0
    assert "1 of 1" in shown
    assert "100a_real would promise" not in shown
    assert "100_real would promise 10.3, 10.7 code that runs on 10.0 alone" in shown
    assert "nvidia :: cuda_version_lower_bound :: 12.0\n" in shown
    assert os.listdir(tmp_path) == [wheel.name]


@pytest.mark.parametrize("archs", ["8.0;9.0+PTX", "80-real 90"])
def test_a_list_of_targets_is_taken_at_its_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], archs: str
) -> None:
    wheel = cuda_wheel(tmp_path, "80", "90", "90p", isa=(8, 4))

    document = run_json(capsys, wheel, "-o", tmp_path, "--archs", archs, "--label", "mine")

    assert document["variant"]["nvidia"] == {
        "sm_arch": ["80_real", "90_real", "90_virtual"],
        "cuda_version_lower_bound": ["12.4"],
    }
    assert Path(document["target"]).name == "demo-1.0-py3-none-any-mine.whl"


def test_a_given_bound_needs_no_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = run_json(
        capsys, make_wheel(tmp_path), "--dry-run", "--archs", "8.0", "--lower-bound", "12.0"
    )

    assert (document["label"], document["lower_bound"]["value"]) == ("cuda12.0", "12.0")


def test_no_bound_is_stated_if_none_is_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = cuda_wheel(tmp_path, "80")

    for source in ((), ("--archs", "8.0", "--label", "x")):
        document = run_json(capsys, wheel, "--dry-run", "--lower-bound", "none", *source)
        assert document["variant"]["nvidia"] == {"sm_arch": ["80_real"]}


def test_properties_and_a_priority_can_be_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = run_json(
        *(capsys, make_wheel(tmp_path), "-o", tmp_path, "--priority", 3),
        *("--property", "nvidia :: sm_arch :: 90_real", "--property", "nvidia::sm_arch::80_real"),
        *("--property", "nvidia::cuda_version_lower_bound::12.8"),
    )

    assert document["label"] == "cuda12.8"
    assert metadata_of(document["target"])["cuda12.8"] == {
        "nvidia": {"sm_arch": ("80_real", "90_real"), "cuda_version_lower_bound": ("12.8",)},
        "priority": {"order": ("3",)},
    }


def test_the_null_variant_states_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = run_json(capsys, make_wheel(tmp_path), "-o", tmp_path, "--null")

    assert (document["label"], document["variant"]) == ("null", {})
    assert metadata_of(document["target"]) == {"null": {}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], "no embedded device code to infer from", id="no-code"),
        pytest.param(["--archs", "all"], "another list in every release", id="vague"),
        pytest.param(["--archs", "8.0", "--lower-bound", "x"], "not a CUDA version", id="bound"),
        pytest.param(["--archs", "8.0"], "nothing tells a label", id="no-label"),
        pytest.param(["--property", "a::b"], "expected 'nvidia :: sm_arch", id="no-property"),
        pytest.param(["--property", "x86_64::level::v3"], "properties of nvidia only", id="other"),
        pytest.param(["--property", "nvidia::sm_arch::999_reel"], "has no value", id="value"),
        pytest.param(["--property", "nvidia::sm::90_real"], "has no feature 'sm'", id="feature"),
        pytest.param(
            ["--property", "nvidia::cuda_version_lower_bound::12.0", "--lower-bound", "12.1"],
            "takes one value",
            id="two-bounds",
        ),
        pytest.param(["--null", "--label", "cpu"], "is 'null'", id="null-label"),
        pytest.param(["--null", "--priority", "1"], "a priority is 1 to 9", id="null-priority"),
        pytest.param(["--null", "--label", "Bad Label"], "not a variant label", id="bad"),
        pytest.param(["--property", "nvidia::sm_arch::90_real", "--label", "A"], "label", id="A"),
    ],
)
def test_misuse_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert message in failure(capsys, make_wheel(tmp_path), "--dry-run", *arguments)


@pytest.mark.parametrize(
    ("extra", "phrase"),
    [
        ({"demo/a.so": packing.shared_object(b"", needed=("libcudart.so.13",))}, "needs CUDA"),
        ({"demo/a.so": packing.shared_object(b"x\0libcuda.so.1\0")}, "opens the CUDA driver"),
        ({"demo/x.bc": b"BC\xc0\xde" + bytes(100)}, "LLVM bitcode"),
        ({"demo/k.ptx": packing.ptx(90)}, "PTX"),
    ],
)
def test_what_is_printed_for_a_wheel_without_code_states_a_bound_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: dict[str, bytes], phrase: str
) -> None:
    wheel = make_wheel(tmp_path, extra)

    said = failure(capsys, wheel, "--dry-run")
    options = shlex.split(said[said.index("--property") :])

    assert phrase in said
    assert "--null" not in said
    document = run_json(capsys, wheel, "-o", tmp_path, *options)
    assert list(document["variant"]["nvidia"]) == ["cuda_version_lower_bound"]
    assert main(["verify", str(document["target"])]) == 0


def test_a_threshold_that_nothing_reaches_names_the_best(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    members = {"demo/a.so": cuda_library("75"), "demo/b.so": cuda_library("90")}

    wheel = make_wheel(tmp_path, members)

    assert "the best (7.5) by 1 of 2" in failure(capsys, wheel, "--dry-run")
    assert tag(wheel, "--dry-run", "--threshold", "50") == 0


def test_files_that_cannot_be_read_or_written_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = tmp_path / "absent-1.0-py3-none-any.whl"
    broken = tmp_path / "broken-1.0-py3-none-any.whl"
    broken.write_bytes(b"PK\x03\x04 and then nothing")

    assert str(absent) in failure(capsys, absent, "--dry-run")
    assert str(absent) in failure(capsys, absent, "--null", "-o", tmp_path)
    assert "no end-of-archive record" in failure(capsys, broken, "--null", "-o", tmp_path)
    assert "a folder to write to is needed" in failure(capsys, make_wheel(tmp_path), "--null")


def test_untag_gives_the_ordinary_wheel_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = cuda_wheel(tmp_path, "80")
    target = run_json(capsys, wheel, "-o", tmp_path)["target"]

    refused = main(["untag", target, "-o", str(tmp_path)])
    message = capsys.readouterr().err
    written = main(["untag", target, "-o", str(tmp_path), "--force"])

    assert (refused, written) == (2, 0)
    assert "is there already" in message
    assert capsys.readouterr().out == f"written: {wheel}\n"
    with OpenWheel(wheel) as opened:
        assert "variant.json" not in str(opened.record.rows)
    assert main(["untag", str(tmp_path / "x-1-py3-none-any-y.whl"), "-o", str(tmp_path)]) == 2


@pytest.mark.parametrize("percent", ["0", "101", "most", "nan"])
def test_a_threshold_is_a_share(tmp_path: Path, percent: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        tag(make_wheel(tmp_path), "--dry-run", "--threshold", percent)


def test_a_dropped_signature_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = make_wheel(tmp_path, {f"{DIST_INFO}/RECORD.p7s": b"x"})

    assert tag(wheel, "--null", "-o", tmp_path) == 0

    shown = capsys.readouterr()
    assert shown.err == f"warning: {DIST_INFO}/RECORD.p7s was dropped: it signed the old RECORD\n"
    assert "no properties: the variant for every machine" in shown.out
    assert shown.out.endswith("demo-1.0-py3-none-any-null.whl\n")


def test_untag_tells_what_it_dropped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    signed = make_wheel(
        tmp_path, {f"{DIST_INFO}/RECORD.jws": b"{}"}, name="demo-1.0-py3-none-any-x.whl"
    )

    assert main(["untag", str(signed), "-o", str(tmp_path)]) == 0

    shown = capsys.readouterr().err
    assert f"warning: {signed.name}: {DIST_INFO}/RECORD.jws was dropped" in shown
    assert "has no demo-1.0.dist-info/variant.json" in shown


def test_an_empty_label_is_refused_as_an_unset_variable_gives_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = failure(capsys, make_wheel(tmp_path), "-o", tmp_path, "--archs", "8.0", "--label", "")

    assert "--label: seen an empty text" in message


def test_tag_answers_markers_if_asked_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = (
        b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\nRequires-Dist: a; variant_label == 'x'\n"
    )
    wheel = make_wheel(tmp_path, {f"{DIST_INFO}/METADATA": metadata})
    given = ("--archs", "8.0", "--lower-bound", "12.0", "--label", "x", "-o", tmp_path)

    document = run_json(capsys, wheel, *given, "--bake-markers")

    assert document["notes"][-1] == "METADATA: a; variant_label == 'x': became a"


def test_a_folder_is_tagged_wheel_by_wheel_into_a_folder_that_is_created(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    cuda_wheel(dist, "80")
    damaged = dist / "other-1.0-py3-none-any.whl"
    damaged.write_bytes(b"no archive")
    out = tmp_path / "new" / "variants"

    code = tag(dist, "-o", out, "--label", "x")
    first = capsys.readouterr()
    again = tag(out, "-o", tmp_path / "more", "--label", "y")

    # One that cannot be read does not hide the others.
    assert (code, [it.name for it in out.iterdir()]) == (2, ["demo-1.0-py3-none-any-x.whl"])
    assert str(damaged) in first.err
    assert (again, (tmp_path / "more").exists()) == (2, False)
    assert "no such wheel in this folder; there is demo-1.0-py3-none-any-x.whl" in (
        capsys.readouterr().err
    )
    assert main(["untag", str(out), "-o", str(tmp_path / "plain")]) == 0
    assert [it.name for it in (tmp_path / "plain").iterdir()] == ["demo-1.0-py3-none-any.whl"]


def test_the_threshold_of_the_project_is_that_of_verify_and_tag(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    members = {"demo/a.so": cuda_library("80", "90"), "demo/b.so": cuda_library("80")}
    wheel = make_wheel(tmp_path, members)
    usual = run_json(capsys, wheel, "--dry-run")
    table = "[tool.nvidia-variant-provider]\nthreshold = 50\n"
    (tmp_path / "pyproject.toml").write_text(table)
    lenient = run_json(capsys, wheel, "--dry-run")
    given = run_json(capsys, wheel, "--dry-run", "--threshold", "75")

    stated = [it["variant"]["nvidia"]["sm_arch"] for it in (usual, lenient, given)]
    assert stated == [["80_real"], ["80_real", "90_real"], ["80_real"]]
