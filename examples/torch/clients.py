"""Runs the real installers, each in an environment that holds nothing of the user's settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.wheels.dist_info import VARIANT_JSON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A client that has not answered by then is a failure of the demonstration.
DEADLINE_S: Final = 120
PROJECT: Final = Path(__file__).resolve().parents[2]
# What ``run`` says of a version whose CPU build it does not show, as another has a GPU build.
HIDDEN: Final = "is not shown: no build for this GPU"

_OURS: Final = "NV_VARIANT_PROVIDER_"
_OTHERS: Final = ("UV_", "VARIANT_", "PYTHON", "XDG_", "PIP_FIND_LINKS")

_ASK_VARIANTLIB: Final = """
import json, sys
from variantlib.api import get_variants_by_priority

with open(sys.argv[1], encoding="utf-8") as file:
    found = get_variants_by_priority(variants_json=json.load(file))
print(json.dumps([variant.label for variant in found]))
"""


class ClientError(Exception):
    """An installer failed; the message holds its own words."""


class ClientCrashError(ClientError):
    """An installer was ended by a signal."""


def install_with_uv(
    wheels: Path,
    requirements: Sequence[str],
    settings: Mapping[str, str],
    *,
    python_platform: str = "",
    scratch_in: str | None = None,
) -> dict[str, str | None]:
    """Let uv install into a fresh folder and return the label of each package's wheel.

    ``requirements`` are of the form ``name==version``. The labels are read from the installed
    ``variant.json``, never from what uv prints; ``None`` is a wheel without a label. The
    installation and uv's cache live for the call, in a folder under ``scratch_in``.
    """
    with tempfile.TemporaryDirectory(dir=scratch_in) as scratch:
        target = Path(scratch, "target")
        command = [
            *(uv_executable(), "pip", "install", "--preview-features", "wheel-variants"),
            *("--no-index", "--find-links", str(wheels), "--no-config"),
            *("--python", sys.executable, "--target", str(target)),
            *(("--python-platform", python_platform) if python_platform else ()),
            *requirements,
        ]
        try:
            _run(command, scratch, settings)
        except ClientCrashError:
            # Seen once: uv ended in a segmentation fault when everything was installed.
            _run(command, scratch, settings)
        pairs = [requirement.split("==") for requirement in requirements]
        return {name: installed_label(target, name, version) for name, version in pairs}


def install_through_run(
    wheels: Path, requirement: str, settings: Mapping[str, str], *, python_platform: str = ""
) -> str | None:
    """Let ``run`` start a uv that reads no variants; return the label of what it installed.

    ``None`` if it found nothing to install. The requirement is of the form ``name==version``.
    """
    name, version = requirement.split("==")
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch, "target")
        command = [
            *(sys.executable, "-m", "nvidia_variant_provider", "run", "--"),
            *(uv_executable(), "pip", "install", "--python", sys.executable),
            *("--target", str(target)),
            *(("--python-platform", python_platform) if python_platform else ()),
            requirement,
        ]
        # What a person has configured: here a folder, and no index.
        configured = {"UV_NO_CONFIG": "1", "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(wheels)}
        try:
            _run(command, scratch, {**configured, **settings, "PYTHONPATH": str(PROJECT)})
        except ClientCrashError:
            raise
        except ClientError as error:
            if HIDDEN in str(error):
                return None
            raise
        return installed_label(target, name, version)


def order_by_variantlib(index_metadata: Path, settings: Mapping[str, str]) -> list[str]:
    """Return the labels that variantlib orders, best first, after it asked our plugin."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-c", _ASK_VARIANTLIB, str(index_metadata.absolute())]
        labels = json.loads(_run(command, scratch, settings))
    return [str(label) for label in labels]


def clean_environment() -> dict[str, str]:
    """Return the process's variables without those that steer an installer or this provider."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith((_OURS, *_OTHERS))
    }


def uv_executable() -> str:
    """Return the path of uv, which pip installs beside the interpreter."""
    name = "uv.exe" if os.name == "nt" else "uv"
    path = Path(sys.executable).parent / name
    if not path.is_file():
        raise ClientError(f"{name} is not installed beside {Path(sys.executable).name}")
    return str(path)


def _run(command: Sequence[str], scratch: str, settings: Mapping[str, str]) -> str:
    # variantlib reads variants.toml from the working folder and the user's, uv its own files.
    private = {"HOME": scratch, "XDG_CONFIG_HOME": scratch, "UV_CACHE_DIR": f"{scratch}/cache"}
    try:
        done = subprocess.run(
            command,
            cwd=scratch,
            env={**clean_environment(), **private, **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ClientError(f"{Path(command[0]).name}: no answer in {DEADLINE_S} s") from error
    if done.returncode != 0:
        kind = ClientCrashError if done.returncode < 0 else ClientError
        raise kind(f"{Path(command[0]).name} failed ({done.returncode}): {done.stderr}")
    return done.stdout


def installed_label(folder: Path, name: str, version: str) -> str | None:
    """Return the label of what was installed into a folder; ``None`` for a wheel without one."""
    dist_info = folder / f"{name}-{version}.dist-info"
    if not (dist_info / "METADATA").is_file():
        raise FileNotFoundError(f"{name} {version} was not installed")
    path = dist_info / VARIANT_JSON
    if not path.is_file():
        return None
    # Whatever draft the file is of: what was installed is the question, not who could read it.
    (label,) = json.loads(path.read_bytes())["variants"]
    return str(label)
