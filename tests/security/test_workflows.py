"""The workflows on GitHub: who may do what, and that nothing in them can change unnoticed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / ".github"
WORKFLOWS: Final = sorted((FOLDER / "workflows").glob("*.y*ml"))
# A release of an action, by its commit, and which one that is for people.
PINNED: Final = re.compile(r"[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)+")
SCRIPTS: Final = Path(sys.executable).parent

pytestmark = pytest.mark.skipif(not WORKFLOWS, reason="an unpacked sdist has no workflows")


def read(name: str) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load((FOLDER / "workflows" / name).read_text("utf-8"))
    return document


def jobs_with(permission: str) -> set[str]:
    """Return which jobs may write so, in every workflow."""
    return {
        f"{path.stem}/{name}"
        for path in WORKFLOWS
        for name, job in read(path.name)["jobs"].items()
        if job["permissions"].get(permission) == "write"
    }


def steps(job: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = job.get("steps", [])
    return found


def test_a_workflow_may_do_nothing_unless_a_job_says_so() -> None:
    documents = {path.name: read(path.name) for path in WORKFLOWS}

    assert {name: it["permissions"] for name, it in documents.items()} == {
        "ci.yml": {},
        "release.yml": {},
        "scheduled.yml": {},
    }
    asked = {
        permission
        for document in documents.values()
        for job in document["jobs"].values()
        for permission in job["permissions"].items()
    }
    assert asked == {
        ("contents", "read"),
        ("contents", "write"),
        ("id-token", "write"),
        ("attestations", "write"),
    }


@pytest.mark.parametrize(
    ("permission", "jobs"),
    [
        ("id-token", {"release/attest", "release/publish"}),
        ("attestations", {"release/attest"}),
        ("contents", {"release/announce"}),
    ],
)
def test_a_right_is_given_to_the_job_that_needs_it(permission: str, jobs: set[str]) -> None:
    assert jobs_with(permission) == jobs


def test_jobs_with_a_right_run_no_code_of_the_repository() -> None:
    """A checkout could bring code that uses the right; what they take is what was built."""
    jobs = read("release.yml")["jobs"]

    for name in ("attest", "publish", "announce"):
        used = [step["uses"].partition("@")[0] for step in steps(jobs[name]) if "uses" in step]
        assert "actions/checkout" not in used
        assert used[0] == "actions/download-artifact"
    assert [step for step in steps(jobs["publish"]) if "run" in step] == []


def test_only_what_was_built_twice_and_passed_the_gate_is_published() -> None:
    jobs = read("release.yml")["jobs"]

    assert jobs["attest"]["needs"] == ["build", "gate"]
    assert jobs["publish"]["needs"] == ["attest"]
    assert jobs["announce"]["needs"] == ["publish"]
    ran = [step["run"] for step in steps(jobs["build"]) if "run" in step]
    assert ran[0].startswith('python .ci/check_tag.py "$TAG"')
    assert ran[1] == "python .ci/check_reproducible.py"


def test_the_upload_needs_an_environment_and_no_password() -> None:
    texts = {path.name: path.read_text("utf-8") for path in WORKFLOWS}

    environments = {
        name: job["environment"]
        for name, job in read("release.yml")["jobs"].items()
        if "environment" in job
    }
    assert environments == {"publish": "pypi"}
    assert [name for name, text in texts.items() if "secrets." in text or "password:" in text] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_commit(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    used = [line.partition("uses: ")[2] for line in lines if "uses: " in line]

    assert [it for it in used if not PINNED.fullmatch(it) and not it.startswith("./")] == []


def test_an_action_has_one_pin() -> None:
    text = "".join(path.read_text("utf-8") for path in WORKFLOWS)
    pins = set(re.findall(r"uses: ([\w/-]+)@(\S+ # \S+)", text))

    assert len(pins) == len({name for name, _ in pins})


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_strangers_start_nothing_that_has_rights(path: Path) -> None:
    # YAML 1.1 reads the key "on" as true.
    triggers = set(read(path.name)[True])

    assert triggers <= {"push", "pull_request", "schedule", "workflow_call", "workflow_dispatch"}
    assert "pull_request" not in triggers or jobs_with("id-token").isdisjoint(
        {f"{path.stem}/{name}" for name in read(path.name)["jobs"]}
    )


def test_the_tag_of_a_release_is_what_starts_it() -> None:
    assert read("release.yml")[True] == {"push": {"tags": ["v*"]}}


def test_the_page_about_releases_names_each_job_and_scripts_that_exist() -> None:
    page = (ROOT / "docs" / "releasing.md").read_text("utf-8")
    advice = (ROOT / "SECURITY.md").read_text("utf-8")

    table = page.partition("## What the workflow does")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(read("release.yml")["jobs"])
    named = re.findall(r"\.ci/[\w.-]+\w", page + advice)
    assert len(set(named)) >= 4
    assert [it for it in named if not (ROOT / it).is_file()] == []


@pytest.mark.skipif(sys.version_info < (3, 11), reason="zizmor has no release for Python 3.10")
def test_zizmor_finds_nothing() -> None:
    command = [str(SCRIPTS / "zizmor"), "--offline", "--pedantic", "--strict-collection"]
    done = subprocess.run(
        [*command, "--no-progress", str(FOLDER)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ("github-workflows", "workflows/ci.yml"),
        ("github-workflows", "workflows/release.yml"),
        ("github-workflows", "workflows/scheduled.yml"),
        ("dependabot", "dependabot.yml"),
    ],
)
def test_github_understands_them(schema: str, name: str) -> None:
    command = [str(SCRIPTS / "check-jsonschema"), "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run(
        [*command, str(FOLDER / name)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout
