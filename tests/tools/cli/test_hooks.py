"""The pre-commit hooks and the GitHub Action, tested by running what they run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from nvidia_variant_provider.tools.tagging.variant import build_variant
from nvidia_variant_provider.tools.tagging.wheels import write_variant
from tests.tools.lint.releases import merge_patch, read_base, write_release
from tests.wheel_maker import cuda_wheel

ROOT = Path(__file__).resolve().parents[3]
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
SCRIPTS = Path(sys.executable).parent
OPTIONAL = {"index": {"providers": {"nvidia": {"optional": True}}}}
PROJECT = """
[variant.default-priorities]
namespace = ["nvidia"]
[variant.providers.nvidia]
requires = ["nvidia-variant-provider>=0.0.1,<1.0.0"]
plugin-api = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="bash")


def commit(folder: Path, hook: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run a hook as pre-commit does: its entry, with the files of the repository it is for."""
    names = sorted(it.relative_to(folder).as_posix() for it in folder.rglob("*") if it.is_file())
    files = [name for name in names if re.search(hook["files"], name)]
    assert files
    return subprocess.run(
        [*shlex.split(hook["entry"]), *files],
        cwd=folder,
        env={**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def hook(name: str) -> dict[str, Any]:
    return next(it for it in HOOKS if it["id"] == name)


def test_a_hook_finds_faults_in_metadata_and_nothing_in_sound_metadata(tmp_path: Path) -> None:
    write_release(tmp_path / "sound", read_base())
    sound = commit(tmp_path / "sound", hook("lint-variants"))
    write_release(tmp_path / "faulty", merge_patch(read_base(), OPTIONAL))
    faulty = commit(tmp_path / "faulty", hook("lint-variants"))

    assert (sound.returncode, sound.stdout) == (0, "no findings in 1 file\n")
    assert (faulty.returncode, "NV216" in faulty.stdout) == (1, True)


def test_a_hook_looks_at_the_table_of_a_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    sound = commit(tmp_path, hook("lint-variants-project"))
    (tmp_path / "pyproject.toml").write_text(PROJECT.replace(">=0.0.1", ">=0.0.2"))
    faulty = commit(tmp_path, hook("lint-variants-project"))

    assert sound.returncode == 0
    assert (faulty.returncode, "NV214" in faulty.stdout) == (1, True)


@pytest.mark.parametrize("named", HOOKS, ids=lambda it: it["id"])
def test_a_hook_installs_what_its_command_needs(named: dict[str, Any]) -> None:
    assert (named["language"], named["additional_dependencies"]) == ("python", [".[tools]"])


def step(name: str, runner: Path, inputs: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a step of the action as a runner does, with the expressions of its ``env`` filled in."""
    (found,) = (it for it in ACTION["runs"]["steps"] if it["name"] == name)
    given = {key: value["default"] for key, value in ACTION["inputs"].items()} | inputs
    environ = {
        key: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: given[match[1]], value)
        for key, value in found.get("env", {}).items()
    }
    # Expressions in a script would be a way in for whoever chooses the inputs.
    assert "${{" not in found["run"]
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", found["run"]],
        cwd=runner,
        env={
            **os.environ, "RUNNER_TEMP": str(runner), "GITHUB_ACTION_PATH": str(ROOT), **environ
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )  # fmt: skip


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """A runner with a release whose variant claims an architecture that it has no code for."""
    dist = tmp_path / "dist"
    dist.mkdir()
    features = {"sm_arch": ("80_real", "120_real"), "cuda_version_lower_bound": ("12.0",)}
    write_variant(cuda_wheel(dist, "80"), dist, build_variant("cuda12.4", features))
    return tmp_path


def test_the_action_annotates_what_it_finds(runner: Path) -> None:
    (runner / "nvp").mkdir()
    (runner / "nvp" / "bin").symlink_to(SCRIPTS)
    lint, verify = (step(name, runner, {}) for name in ("Lint", "Verify"))

    assert (lint.returncode, verify.returncode) == (1, 1)
    assert "::error file=dist/" in lint.stdout
    assert "title=NV301::" in verify.stdout


def test_the_action_writes_the_form_that_is_asked_for(runner: Path) -> None:
    (runner / "nvp").mkdir()
    (runner / "nvp" / "bin").symlink_to(SCRIPTS)
    done = step("Lint", runner, {"output-format": "sarif"})

    assert json.loads(done.stdout)["version"] == "2.1.0"


@pytest.mark.deep
@pytest.mark.wheels
def test_the_action_installs_itself(runner: Path) -> None:
    installed = step("Install", runner, {})

    assert (installed.returncode, step("Lint", runner, {}).returncode) == (0, 1), installed.stderr


def test_the_action_is_of_the_schema_of_actions() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    done = subprocess.run(
        [*command, "vendor.github-actions", str(ROOT / "action.yml")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
