"""A survey of public wheels for three platforms, against what is known of each; resumable.

The results are kept in ``.cache`` under a name that changes with the code that reads wheels: a run
that was stopped goes on where it was, and a change of a reader starts anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any, Final

import pytest

from nvidia_variant_provider.tools.cli.main import main
from tests.tools.binaries import downloads
from tests.tools.binaries.test_real_wheels import KNOWN, Known

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PACKAGE: Final = downloads.CACHE.parent / "nvidia_variant_provider"
# By size; the first ten take seconds.
SMALLEST: Final = (
    "nvidia-cufile-cu12", "torchaudio", "numba-cuda", "xformers", "lightgbm",
    "nvidia-cuda-runtime-cu12", "librmm-cu12",
)  # fmt: skip


def results_file(name: str) -> Path:
    """Return where results are kept for the code as it is."""
    digest = hashlib.sha256()
    for folder in ("tables", "rules", "tools/binaries", "tools/wheels", "tools/survey"):
        for path in sorted((PACKAGE / folder).glob("*.py")):
            digest.update(path.read_bytes())
    return downloads.CACHE / f"survey-{name}-{digest.hexdigest()[:12]}.jsonl"


def surveyed(known: Sequence[Known], name: str, listing: Path) -> dict[str, dict[str, Any]]:
    """Survey the wheels and return the last record of each path."""
    listing.write_text("\n".join(map(path_of, known)))
    results = results_file(name)
    assert main(["survey", "inspect", "--from", str(listing), "-o", str(results), "--jobs=2"]) == 0
    records = map(json.loads, results.read_text("ascii").splitlines())
    return {record["path"]: record for record in records}


def path_of(known: Known) -> str:
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


@pytest.mark.parametrize(
    ("name", "known"),
    [
        pytest.param(
            "smallest",
            [it for it in KNOWN if it.requirement.partition("==")[0] in SMALLEST],
            marks=pytest.mark.wheels,
            id="smallest",
        ),
        pytest.param("all", KNOWN, marks=pytest.mark.large, id="all"),
    ],
)
def test_a_survey_of_public_wheels_says_what_is_known(
    name: str, known: list[Known], tmp_path: Path
) -> None:
    records = surveyed(known, name, tmp_path / "list")

    expected = {
        f"{it.requirement} {it.platform}": (it.containers, set(it.real.split()), it.bounds)
        for it in known
    }
    found = {f"{it.requirement} {it.platform}": said_of(records[path_of(it)]) for it in known}
    assert found == expected
