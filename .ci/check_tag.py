"""Hold a release's tag to the version and the changelog: ``check_tag.py v0.1.0 [--notes FILE]``.

Prints ``version=0.1.0``, as a workflow takes the output of a step; with ``--notes`` the changelog's
section becomes the text of the release page.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Final

from bill import ROOT, VERSION

CHANGELOG: Final = ROOT / "CHANGELOG.md"
FORM: Final = f"## {VERSION} (YYYY-MM-DD)"


def main(argv: list[str] | None = None) -> int:
    """Return 1, and say why, unless tag, version and changelog agree."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tag", help="the tag, such as v0.1.0")
    parser.add_argument("--notes", type=Path, help="write the changelog's section here")
    asked = parser.parse_args(argv)
    notes = section(CHANGELOG.read_text("utf-8"), VERSION)
    if asked.tag != f"v{VERSION}":
        sys.stderr.write(
            f"error: the tag is {asked.tag}, expected v{VERSION}: __init__.py says so\n"
        )
        return 1
    if not notes:
        sys.stderr.write(f"error: CHANGELOG.md: expected a section that begins with {FORM!r}\n")
        return 1
    if asked.notes:
        asked.notes.parent.mkdir(parents=True, exist_ok=True)
        asked.notes.write_bytes(notes.encode())
    print(f"version={VERSION}")
    return 0


def section(changelog: str, version: str) -> str:
    """Return what the changelog says of a version, without its heading; empty if nothing."""
    heading = rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)$"
    parts = re.split(heading, changelog, maxsplit=1, flags=re.MULTILINE)
    if len(parts) == 1:
        return ""
    text = re.split(r"^## ", parts[1], maxsplit=1, flags=re.MULTILINE)[0].strip()
    return f"{text}\n" if text else ""


if __name__ == "__main__":
    sys.exit(main())
