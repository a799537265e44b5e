"""The page survey.md knows every failure; its commands are run with those of all pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, get_args

from nvidia_variant_provider.tools.survey.json_model import FailureCode

PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "survey.md"


def test_the_page_has_every_code_of_a_failure() -> None:
    table = re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text("utf-8"), flags=re.MULTILINE)

    assert set(get_args(FailureCode)) <= set(table)
