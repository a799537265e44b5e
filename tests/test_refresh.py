"""``.ci/refresh``: what it reads from the sources of the tables, and how it fails."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.rules.catalogue import sm_archs
from nvidia_variant_provider.tables import READ

if TYPE_CHECKING:
    from types import ModuleType

CI: Final = Path(__file__).resolve().parents[1] / ".ci"
HELP: Final = """\
        Allowed values for this option:  'compute_100','lto_90a','sm_100','sm_100f','sm_103a',
        'sm_75','sm_90'.
        Default value:  'sm_75'.
"""


@pytest.fixture
def refresh(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(CI))
    return importlib.import_module("refresh")


def test_targets_are_those_of_machine_code(refresh: ModuleType) -> None:
    assert refresh.parse_targets(HELP) == {"100", "100f", "103a", "75", "90"}


def test_the_toolkit_is_read_or_the_source_is_broken(refresh: ModuleType) -> None:
    text = "Cuda compilation tools, release 13.5, V13.5.37\n"

    assert refresh.parse_release(text) == CudaVersion(13, 5)
    with pytest.raises(refresh.SourceError, match="no release"):
        refresh.parse_release("nothing of the kind")


@pytest.mark.parametrize(
    ("text", "prefix", "names"),
    [
        ("NVML_ERROR_UNKNOWN   = 999\nNVML_VALUE = 1\n", "NVML_ERROR_", {"UNKNOWN"}),
        ("        CUDA_ERROR_A\n        CUDA_ERROR_B\n", "CUDA_ERROR_", {"A", "B"}),
    ],
)
def test_codes_are_read(refresh: ModuleType, text: str, prefix: str, names: set[str]) -> None:
    assert refresh.parse_codes(text, prefix) == names


def test_a_source_without_codes_is_broken(refresh: ModuleType) -> None:
    with pytest.raises(refresh.SourceError, match="NVML_ERROR_"):
        refresh.parse_codes("cdef enum: A", "NVML_ERROR_")


def test_the_tables_know_every_target_of_the_compiler_that_tests_use(refresh: ModuleType) -> None:
    (ptxas,) = Path(sys.prefix).glob("lib/python3*/site-packages/nvidia/cu13/bin/ptxas")
    text = subprocess.run([ptxas, "--help"], capture_output=True, text=True, check=True).stdout
    known = {arch.target for arch in sm_archs() if not arch.virtual}

    assert refresh.parse_targets(text) <= known


def test_a_source_that_cannot_be_read_fails_loudly(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, CI / "refresh.py"],
        env={"PATH": str(tmp_path), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    broken = [line.split(":")[1].strip() for line in done.stderr.splitlines() if "error:" in line]

    assert done.returncode == 2
    assert [name for name in broken if name in {"toolkit", "nvml", "driver", "pci"}] == [
        "toolkit",
        "nvml",
        "driver",
        "pci",
    ]


def test_the_date_that_the_version_shows_is_that_of_the_last_reading() -> None:
    seen = json.loads((CI / "tables" / "seen.json").read_text("utf-8"))

    assert seen["read"] == READ
