"""A release is made of a tag, a version and a section of the changelog that agree."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider import __version__

if TYPE_CHECKING:
    from types import ModuleType

CI: Final = Path(__file__).resolve().parents[1] / ".ci"
LOG: Final = """# Changelog

## Unreleased: 0.3.0

### Tools
- not yet

## 0.2.0 (2026-12-01)

### Tools
- A tool.

## 0.2.0rc1 (2026-11-01)

- Earlier.
"""


@pytest.fixture
def check_tag(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(CI))
    spec = importlib.util.spec_from_file_location("check_tag", CI / "check_tag.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("version", "notes"),
    [
        ("0.2.0", "### Tools\n- A tool.\n"),
        ("0.2.0rc1", "- Earlier.\n"),
        ("0.3.0", ""),
        ("0.1.0", ""),
        ("0.2", ""),
    ],
)
def test_the_section_of_a_version_is_found(check_tag: ModuleType, version: str, notes: str) -> None:
    assert check_tag.section(LOG, version) == notes


def test_tag_version_and_changelog_agree(
    check_tag: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = tmp_path / "CHANGELOG.md"
    log.write_text(f"# Changelog\n\n## {__version__} (2026-12-01)\n\n- New.\n", "utf-8")
    monkeypatch.setattr(check_tag, "CHANGELOG", log)
    notes = tmp_path / "dist" / "NOTES.md"

    assert check_tag.main([f"v{__version__}", "--notes", str(notes)]) == 0
    assert capsys.readouterr().out == f"version={__version__}\n"
    assert notes.read_text("utf-8") == "- New.\n"


@pytest.mark.parametrize("tag", ["v99.0", __version__, f"v{__version__}.post1", "main"])
def test_another_tag_is_an_error_that_names_the_version(tag: str) -> None:
    command = [sys.executable, str(CI / "check_tag.py"), tag]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: the tag is {tag}, expected v{__version__}: __init__.py says so\n"
