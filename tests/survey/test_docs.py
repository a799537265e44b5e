"""Every command of survey.md does what the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, get_args

from nvidia_variant_provider.records.survey import FailureCode
from tests.docs_console import MARK, steps_of
from tests.wheel_maker import cuda_wheel

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "survey.md"


def test_the_commands_of_survey_md(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    for index, targets in enumerate(("80 90a 90p", "80", "")):
        cuda_wheel(mirror, *targets.split(), name=f"demo{index}-1.0-py3-none-any.whl")
    (mirror / "cut-1.0-py3-none-any.whl").write_bytes(b"PK\x03\x04")
    steps = [it for it in steps_of("survey.md") if "jq " not in it.command or shutil.which("jq")]

    script = "set -e -o pipefail\n" + "\n".join(f"{it.command}\necho '{MARK}'" for it in steps)
    environ = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "300",
    }
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout
    printed = [part.splitlines() for part in done.stdout.split(f"{MARK}\n")[:-1]]
    assert [without_place(it.shown) for it in steps] == [without_place(it) for it in printed]


def without_place(lines: tuple[str, ...] | list[str]) -> list[str]:
    """Return the lines of a page or a run, alike wherever the mirror lies and tables end."""
    words = (re.sub(r"/\S+/mirror/", "/data/mirror/", line).rstrip() for line in lines)
    return [line if set(line.strip()) - {"─"} else "" for line in words if line]


def test_the_page_has_every_code_of_a_failure() -> None:
    table = re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text("utf-8"), flags=re.MULTILINE)

    assert set(get_args(FailureCode)) <= set(table)
