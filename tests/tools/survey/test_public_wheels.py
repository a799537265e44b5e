"""A survey of public wheels for three platforms, against what is known of each; resumable.

Two truths, neither of our readers: figures of a reader written apart from them (``KNOWN``), and
what NVIDIA's ``cuobjdump`` lists (``truths.json``, written by ``record_truths``). The results are
kept in ``.cache`` under a name that changes with the code that reads wheels: a run that was stopped
goes on where it was, and a change of a reader starts anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from nvidia_variant_provider.tools.cli.main import main
from tests.tools.binaries import downloads
from tests.tools.binaries.test_real_wheels import KNOWN, Known
from tests.tools.survey.record_truths import TRUTHS as FILE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PACKAGE: Final = downloads.CACHE.parent / "nvidia_variant_provider"


@dataclass(frozen=True)
class Truth:
    """The images that cuobjdump lists, by member and target: ``{"a.so": {"cubin 90a": 2}}``."""

    requirement: str
    platform: str
    size: int
    members: dict[str, dict[str, int]]


TRUTHS: Final = [Truth(**truth) for truth in json.loads(FILE.read_text("utf-8"))]
# The file is sorted by size.
SMALLEST: Final = TRUTHS[:10]


def results_file(name: str) -> Path:
    """Return where results are kept for the code as it is."""
    digest = hashlib.sha256()
    for folder in ("tables", "rules", "tools/binaries", "tools/wheels", "tools/survey"):
        for path in sorted((PACKAGE / folder).glob("*.py")):
            digest.update(path.read_bytes())
    return downloads.CACHE / f"survey-{name}-{digest.hexdigest()[:12]}.jsonl"


def surveyed(known: Sequence[Known | Truth], name: str, listing: Path) -> dict[str, dict[str, Any]]:
    """Survey the wheels and return the last record of each path."""
    listing.write_text("\n".join(map(path_of, known)))
    results = results_file(name)
    assert main(["survey", "inspect", "--from", str(listing), "-o", str(results), "--jobs=2"]) == 0
    records = map(json.loads, results.read_text("ascii").splitlines())
    return {record["path"]: record for record in records}


def path_of(known: Known | Truth) -> str:
    return os.path.abspath(downloads.wheel(known.requirement, known.platform))


def said_of(record: dict[str, Any]) -> tuple[int, set[str], tuple[str, str]]:
    """Return containers with kernels, targets of cubins, and the bounds of a record."""
    inspection = record["inspection"]
    real = {
        image["target"]
        for library in inspection["libraries"]
        if library["role"] == "own"
        for image in library["images"]
        if image["kind"] == "cubin" and not image["content"].endswith("stub")
    }
    bounds = inspection["bounds"]
    return (
        inspection["coverage"]["containers"],
        real,
        (str(bounds["compatible"]), str(bounds["strict"])),
    )


def listed(record: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Return the images of a record in the words of a truth: of every library, stubs as well."""
    found: dict[str, Counter[str]] = {}
    for library in record["inspection"]["libraries"]:
        for image in library["images"]:
            counts = found.setdefault(library["path"], Counter())
            counts[f"{image['kind']} {image['target']}"] += image["count"]
    return {path: dict(counts) for path, counts in found.items()}


@pytest.mark.large
def test_a_survey_of_public_wheels_says_what_is_known(tmp_path: Path) -> None:
    records = surveyed(KNOWN, "known", tmp_path / "list")

    expected = {
        f"{it.requirement} {it.platform}": (it.containers, set(it.real.split()), it.bounds)
        for it in KNOWN
    }
    found = {f"{it.requirement} {it.platform}": said_of(records[path_of(it)]) for it in KNOWN}
    assert found == expected


@pytest.mark.parametrize(
    ("name", "truths"),
    [
        pytest.param("smallest", SMALLEST, marks=pytest.mark.wheels, id="smallest"),
        pytest.param("listed", TRUTHS, marks=pytest.mark.large, id="all"),
    ],
)
def test_a_survey_of_public_wheels_lists_what_cuobjdump_lists(
    name: str, truths: list[Truth], tmp_path: Path
) -> None:
    records = surveyed(truths, name, tmp_path / "list")

    expected = {f"{it.requirement} {it.platform}": it.members for it in truths}
    found = {f"{it.requirement} {it.platform}": listed(records[path_of(it)]) for it in truths}
    assert found == expected


def test_the_survey_has_sixty_wheels_of_three_platforms() -> None:
    wheels = {(it.requirement, it.platform) for it in KNOWN}
    wheels |= {(it.requirement, it.platform) for it in TRUTHS}

    assert len(wheels) == len(KNOWN) + len(TRUTHS) >= 60
    assert {platform for _, platform in wheels} == {
        "manylinux_x86_64",
        "manylinux_aarch64",
        "win_amd64",
    }
