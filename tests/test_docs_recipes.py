"""The recipes that make uv see a machine end in the build that they promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from examples.torch.clients import clean_environment, installed_label
from nvidia_variant_provider.tools.cli import cmd_properties
from nvidia_variant_provider.tools.demo.releases import write_releases
from tests.docs_console import ROOT

pytestmark = pytest.mark.clients

BIN: Final = Path(sys.executable).parent


def install(folder: Path, variables: dict[str, str], *options: str) -> str | None:
    """Let uv install torch as a recipe does, and return the label of what it chose."""
    (folder / "wheels").mkdir()
    write_releases(folder / "wheels")
    site = folder / "site"
    command = ["uv", "pip", "install", "--no-index", "--find-links", str(folder / "wheels")]
    subprocess.run(
        [str(BIN / command[0]), *command[1:], "--target", str(site), *options, "torch==2.14.1"],
        env=_environment(folder) | variables,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return installed_label(site, "torch", "2.14.1")


def _environment(folder: Path) -> dict[str, str]:
    (folder / "empty").mkdir(exist_ok=True)
    return clean_environment() | {
        "HOME": str(folder),
        "NV_VARIANT_PROVIDER_ROOT": str(folder / "empty"),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "UV_CACHE_DIR": str(folder / "cache"),
        "UV_PYTHON": sys.executable,
    }


def test_the_lines_for_a_dockerfile_are_enough(tmp_path: Path) -> None:
    """Step 3 of docs/how-to/docker.md, as the page shows it."""
    page = (ROOT / "docs" / "how-to" / "docker.md").read_text("utf-8")
    variables = dict(re.findall(r"^ +ENV (\w+)=(\S+)$", page, re.MULTILINE))
    label = install(tmp_path, variables, "--python-platform", "aarch64-manylinux_2_28")

    assert label == "cuda13.2_sbsa"


@pytest.mark.parametrize("form", ["env", "github", "dockerfile"])
@pytest.mark.parametrize(
    ("target", "label"),
    [("l4@570", "cuda12.6"), ("h100@580", "cuda13.2"), ("rtx-4090", "cuda13.2")],
)
def test_every_format_for_uv_is_enough(form: str, target: str, label: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [BIN / "nvidia-variant-provider", "properties", "--target", target, "--format", form],
        env=_environment(tmp_path),
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = [it.removeprefix("ENV ") for it in done.stdout.splitlines() if not it.startswith("#")]

    assert install(tmp_path, dict(line.split("=", 1) for line in lines)) == label


def test_the_recipe_in_the_help_is_enough(tmp_path: Path) -> None:
    """``env $(… properties --format env) uv pip install torch``, on a machine that is named."""
    (line,) = re.findall(r"^  (env .*--format env\).*)$", cmd_properties.EPILOG, re.MULTILINE)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    write_releases(wheels)
    subprocess.run(
        ["bash", "-c", f"{line}==2.14.1 --no-index --find-links {wheels} --target site"],
        cwd=tmp_path,
        env=_environment(tmp_path) | {"NV_VARIANT_PROVIDER_TARGET": "h100@580"},
        check=True,
        capture_output=True,
        timeout=120,
    )

    assert installed_label(tmp_path / "site", "torch", "2.14.1") == "cuda13.2"
