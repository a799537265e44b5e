"""The recipes of CONTRIBUTING for a GPU and a driver branch, played on a copy of the repository.

Each edits the files that a person edits and runs the scripts; then every tool is asked.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.tools.lint.releases import merge_patch, read_base, write_release
from tests.wheel_maker import cuda_wheel

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = "nvidia_variant_provider"
TREES: Final = (".ci", "docs", "examples", PACKAGE, "schemas", "tests")
# A chip of capability 10.8 and a driver branch R640 with CUDA 13.6, neither of which exists.
CHIP: Final = {"capability": "10.8", "integrated": False, "confidence": "D", "ids": "3f00 3f01"}


def edit(path: Path, before: str, added: str) -> None:
    """Add a row behind one that is there."""
    text = path.read_text("utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, before + added), "utf-8")


def add_gpu(root: Path) -> None:
    """Play "Add a GPU": its ids and chip, its product and its capability, its name in a test."""
    source = root / ".ci" / "tables" / "nvidia_pci.json"
    document = json.loads(source.read_text("utf-8"))
    document["chips"]["GX108"] = CHIP
    source.write_text(json.dumps(document, indent=1), "utf-8")
    products = root / PACKAGE / "tables" / "products.py"
    edit(products, "PRODUCTS: Final = (\n", '    Product("x1000", "X1000", "GX108", _X86),\n')
    edit(
        products,
        "    CapabilityFacts(ComputeCapability(10, 7), CudaVersion(13, 4)),\n",
        "    CapabilityFacts(ComputeCapability(10, 8), CudaVersion(13, 6)),\n",
    )
    edit(root / "tests" / "test_targets.py", '    "h100 ', "x1000 ")


def add_branch(root: Path) -> None:
    """Play "Add a driver branch": a row, the ISA version that its compiler reads, its banner."""
    tables = root / PACKAGE / "tables"
    edit(
        tables / "driver_branches.py",
        "    (620, CudaVersion(13, 5)),\n",
        "    (640, CudaVersion(13, 6)),\n",
    )
    edit(
        tables / "toolkits.py",
        "    (9, 5): CudaVersion(13, 5),\n",
        "    (9, 6): CudaVersion(13, 6),\n",
    )
    tests = root / "tests" / "test_tables.py"
    edit(tests, '(617, "13.4"), ', '(640, "13.6"), ')
    tests.write_text(tests.read_text("utf-8").replace('(999, "13.5")', '(999, "13.6")'), "utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository in which both recipes were followed."""
    root = tmp_path_factory.mktemp("recipes") / "copy"
    ignored = shutil.ignore_patterns("__pycache__", ".cache", "site")
    for tree in TREES:
        shutil.copytree(ROOT / tree, root / tree, ignore=ignored)
    for file in ROOT.iterdir():
        if file.is_file() and file.name.endswith((".md", ".toml", ".yml")):
            shutil.copy(file, root)
    add_branch(root)
    add_gpu(root)
    assert {script: execute(root, script) for script in scripts(root)} == dict.fromkeys(
        scripts(root), (0, "")
    )
    return root


def scripts(root: Path) -> list[str]:
    """Return the scripts in the order that CONTRIBUTING names: the chips first."""
    names = {str(path.relative_to(root)) for path in root.glob(".ci/regen_*.py")}
    return [".ci/regen_tables.py", *sorted(names - {".ci/regen_tables.py"})]


def execute(root: Path, *arguments: str) -> tuple[int, str]:
    """Run Python on the copy; return the exit code, and stderr if it failed."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=root, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr if done.returncode else ""


@pytest.fixture(scope="module")
def ask(copy: Path) -> Callable[..., Any]:
    """Run a command of the copy and return its JSON document."""

    def run(*arguments: str) -> Any:  # noqa: ANN401 - a document of any form
        environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-m", PACKAGE, *arguments],
            cwd=copy, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    return run


def test_no_generated_file_differs(copy: Path) -> None:
    checked = {script: execute(copy, script, "--check") for script in scripts(copy)}

    assert checked == dict.fromkeys(scripts(copy), (0, ""))


def test_the_tests_that_the_recipes_name_pass(copy: Path) -> None:
    named = ("tests/test_targets.py", "tests/test_tables.py", "tests/test_data.py")

    assert execute(copy, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *named) == (0, "")


def test_the_machine_is_a_target(ask: Callable[..., Any]) -> None:
    document = ask("properties", "--target", "x1000", "--format", "json")

    features = {row["name"]: row["values"] for row in document["features"]}
    assert features["sm_arch"][0] == "108a_real"
    assert features["cuda_version_lower_bound"][0] == "13.6"


def test_tag_no_longer_promises_the_new_gpu_code_for_an_older_one(
    ask: Callable[..., Any], tmp_path: Path
) -> None:
    wheel = cuda_wheel(tmp_path, "107a")

    document = ask("tag", str(wheel), "--dry-run", "--json")

    assert document["wheels"][0]["variant"]["nvidia"]["sm_arch"] == ["107a_real"]


def test_inspect_counts_the_new_gpu_and_reads_the_new_isa(
    ask: Callable[..., Any], tmp_path: Path
) -> None:
    (file,) = ask("inspect", str(cuda_wheel(tmp_path, "100p", isa=(9, 6))), "--json")["files"]

    (row,) = [it for it in file["coverage"]["gpus"] if it["compute_capability"] == "10.8"]
    assert (row["native"], row["jit"]) == (0, 1)
    assert file["bounds"]["strict"] == "13.6"


def test_verify_knows_that_a_plain_value_promises_the_new_gpu(
    ask: Callable[..., Any], tmp_path: Path
) -> None:
    tagged = ask(
        "tag", str(cuda_wheel(tmp_path, "107a")), "-o", str(tmp_path), "--json",
        "--property", "nvidia::sm_arch::107_real", "--lower-bound", "12.0", "--label", "cuda12.4",
    )  # fmt: skip

    document = ask("verify", tagged["wheels"][0]["target"], "--json", "--select", "NV304")

    assert "promises 10.8" in json.dumps(document)


def test_lint_finds_a_machine_for_the_new_gpu(ask: Callable[..., Any], tmp_path: Path) -> None:
    release = write_release(tmp_path / "release", document_for("108_real"))

    document = ask("lint", str(release), "--json", "--select", "NV505")

    assert document["findings"] == []


def test_coverage_has_the_new_machines_with_every_branch(
    ask: Callable[..., Any], tmp_path: Path
) -> None:
    release = write_release(tmp_path / "release", document_for("108_real"))

    document = ask("coverage", str(release), "--catalogue", "--json")

    shown = json.dumps(document)
    assert "x1000@640" in shown
    assert "h100@640" in shown


def document_for(arch: str) -> dict[str, Any]:
    """Return a release with one build for an architecture."""
    nvidia = {"cuda_version_lower_bound": ["13.0"], "sm_arch": [arch]}
    patch = {"index": {"variants": {"cuda13.0": {"nvidia": nvidia}}}}
    document: dict[str, Any] = merge_patch(read_base(), patch)
    return document
