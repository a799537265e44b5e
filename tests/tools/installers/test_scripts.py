"""A script that names an index of its own must not run through a view: uv asks the index first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.installers.scripts import check_script

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = (
    "#!/usr/bin/env python\n# /// script\n# dependencies = ['torch']\n#\n{}# ///\nimport torch\n"
)
INDEX = "# [[tool.uv.index]]\n# url = 'https://x.example/simple/'\n"


def test_a_script_that_names_an_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(BLOCK.format(INDEX))

    with pytest.raises(InvalidValueError, match=r"a\.py: \[tool\.uv\] of the script sets index"):
        check_script("a.py", str(tmp_path))


@pytest.mark.parametrize(
    "text",
    ["", BLOCK.format(""), BLOCK.format("# not toml\n"), BLOCK.format("# [tool.uv]\n#\n"),
     INDEX, BLOCK.format("# [tool.uv]\n# exclude-newer = '2026-01-01'\n")],
)  # fmt: skip
def test_any_other_script_is_left_to_uv(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.py").write_text(text)

    assert check_script("a.py", str(tmp_path)) is None  # type: ignore[func-returns-value]  # nothing is raised
    assert check_script("no-such.py", str(tmp_path)) is None  # type: ignore[func-returns-value]  # likewise
