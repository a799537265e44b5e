"""Where ``uv auth login`` keeps credentials: a file in plain text.

Source: ``uv auth dir`` on Linux; for Windows uv's documentation.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE: Final = "credentials.toml"


def store_path(environ: Mapping[str, str]) -> str:
    """Return the path of uv's file: in UV_CREDENTIALS_DIR, or else with uv's data."""
    folder = environ.get("UV_CREDENTIALS_DIR", "")
    if not folder and sys.platform == "win32":
        folder = os.path.join(environ.get("APPDATA", ""), "uv", "data", "credentials")
    if not folder:
        home = environ.get("HOME") or os.path.expanduser("~")
        data = environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
        folder = os.path.join(data, "uv", "credentials")
    return os.path.join(folder, _FILE)
