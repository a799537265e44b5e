"""What each command loads beyond the standard library: the start of a command is its imports."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import clean_environment
from tests.wheel_maker import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = ("distributed", "packaging", "pydantic", "rich", "tomlkit", "variantlib")
SCRIPT = f"""
import sys
from nvidia_variant_provider.tools.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
loaded = [name for name in {HEAVY!r} if name in sys.modules]
commands = [name for name in sys.modules if ".cli.cmd_" in name]
sys.stderr.write("loaded: " + " ".join(loaded) + "\\ncommands: " + str(len(commands)) + "\\n")
"""


def loaded_by(*arguments: str) -> tuple[set[str], int]:
    """Return which packages a command loads, and how many modules of commands."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        env={**clean_environment(), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    packages, commands = done.stderr.splitlines()[-2:]
    return set(packages.removeprefix("loaded:").split()), int(commands.split()[1])


@pytest.mark.parametrize(
    ("arguments", "packages"),
    [
        ("detect", set[str]()),
        ("detect --json", set()),
        ("properties --target gh200@580", set()),
        ("properties --target gh200@580 --format env", set()),
        ("targets", {"rich"}),  # its table has the width of the terminal, which is given here
        ("torch-backend --no-index --target gh200@580", set()),
        ("explain --help", set()),
        ("inspect --help", set()),
        ("verify --help", set()),
        ("tag --help", set()),
        ("convert --help", set()),
        ("index --help", set()),
        ("tag {wheel} --dry-run --null", {"packaging"}),
        ("tag {wheel} --dry-run --archs 9.0 --lower-bound 12.0", {"packaging"}),
        ("tag {wheel} -o {folder} --property nvidia::sm_arch::90_real --label x", {"packaging"}),
        ("tag {wheel} --dry-run --null --json", {"packaging", "pydantic"}),
        ("index {folder}", {"packaging", "pydantic"}),
        ("lint {wheel}", {"packaging"}),
    ],
)
def test_a_command_loads_its_own_module_and_no_package_it_does_not_need(
    tmp_path: Path, arguments: str, packages: set[str]
) -> None:
    (tmp_path / "out").mkdir()
    names = {"wheel": str(make_wheel(tmp_path)), "folder": str(tmp_path)}
    if "-o" in arguments:
        names["folder"] = str(tmp_path / "out")
    words = [word.format(**names) for word in arguments.split()]

    loaded, commands = loaded_by(*words)

    assert loaded == packages
    # explain shares a part of another command.
    assert commands <= 1 + (words[0] == "explain")


def test_help_loads_every_command_and_no_package() -> None:
    packages, commands = loaded_by("--help")

    assert packages == set()
    assert commands > 10
