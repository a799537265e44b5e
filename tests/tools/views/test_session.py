"""Where a view keeps what it can make again."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tools.views.session import cache_folder, read_secret, usual_folder

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the folders of Linux")

SHOW = (
    "import os; from nvidia_variant_provider.tools.views.session import cache_folder;"
    " print(cache_folder(os.environ))"
)


def chosen(environ: dict[str, str]) -> str:
    """Return the folder that a process with an environment chooses."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW], env=environ, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.strip()


def test_it_is_in_the_home_or_where_the_environment_says(tmp_path: Path) -> None:
    folders = [
        cache_folder({"HOME": str(tmp_path)}),
        cache_folder({"HOME": "/nowhere", "XDG_CACHE_HOME": str(tmp_path)}),
    ]

    assert folders == [
        f"{tmp_path}/.cache/nvidia-variant-provider",
        f"{tmp_path}/nvidia-variant-provider",
    ]


def test_where_the_home_cannot_be_written_it_is_a_private_folder_the_same_every_time(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    home.write_text("no folder")
    environ = {"HOME": str(home), "TMPDIR": str(tmp_path)}

    first, second = chosen(environ), chosen(environ)

    assert first == second == f"{tmp_path}/nvidia-variant-provider-{os.getuid()}"
    assert stat.S_IMODE(os.stat(first).st_mode) == 0o700
    assert read_secret(first) == read_secret(first)


def test_a_folder_that_others_can_write_is_not_taken(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("no folder")
    (tmp_path / f"nvidia-variant-provider-{os.getuid()}").mkdir(mode=0o700)
    (tmp_path / f"nvidia-variant-provider-{os.getuid()}").chmod(0o777)

    taken = chosen({"HOME": str(home), "TMPDIR": str(tmp_path)})

    assert taken != f"{tmp_path}/nvidia-variant-provider-{os.getuid()}"
    assert stat.S_IMODE(os.stat(taken).st_mode) == 0o700


def test_a_user_without_a_home_has_no_usual_folder() -> None:
    # What ``expanduser`` leaves as it is where the user is not known.
    assert usual_folder({"HOME": "~"}) == ""
