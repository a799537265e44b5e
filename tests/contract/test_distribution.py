"""The built distribution: what is in it, what it needs, and that an old pip installs it."""

from __future__ import annotations

import email.parser
import hashlib
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from nvidia_variant_provider.codes import PAGES

ROOT = Path(__file__).resolve().parents[2]
EPOCH = {"SOURCE_DATE_EPOCH": "1767225600"}

pytestmark = pytest.mark.clients


def build(folder: Path, kind: str) -> Path:
    command = [sys.executable, "-m", "build", f"--{kind}", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **EPOCH})
    return next(path for path in folder.iterdir() if path.suffix in {".whl", ".gz"})


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"), "wheel")


def metadata(wheel: Path, name: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        member = next(it for it in archive.namelist() if it.endswith(f".dist-info/{name}"))
        return archive.read(member).decode()


def test_nothing_is_required_at_run_time(wheel: Path) -> None:
    fields = email.parser.Parser().parsestr(metadata(wheel, "METADATA"))

    required = [it for it in fields.get_all("Requires-Dist", []) if "extra ==" not in it]
    assert required == []
    assert fields["Name"] == "nvidia-variant-provider"
    assert fields["Requires-Python"] == ">=3.10"


def test_installers_find_the_plugin(wheel: Path) -> None:
    points = metadata(wheel, "entry_points.txt")

    plugin = r"\[variant_plugins\]\s+nvidia = nvidia_variant_provider\.plugin:NvidiaVariantPlugin\b"
    assert re.search(plugin, points)


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    tops = {name.partition("/")[0] for name in names}
    assert {top.partition("-")[0] for top in tops} == {"nvidia_variant_provider"}
    assert "nvidia_variant_provider/py.typed" in names
    assert "nvidia_variant_provider/detect/worker.py" in names


@pytest.mark.parametrize("page", PAGES)
def test_the_wheel_carries_the_pages_of_the_codes(wheel: Path, page: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        carried = archive.read(f"nvidia_variant_provider/pages/{page}.md")

    assert carried == (ROOT / f"docs/{page}.md").read_bytes()


def test_building_twice_gives_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    again = build(tmp_path, "wheel")

    assert (
        hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(wheel.read_bytes()).digest()
    )


def test_the_source_distribution_holds_tests_and_licence(tmp_path: Path) -> None:
    with tarfile.open(build(tmp_path, "sdist")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"LICENSE", "README.md", "CHANGELOG.md", "tests/test_model.py"} <= names
    assert not [name for name in names if name.startswith((".venv", ".cache"))]


def test_an_old_pip_installs_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """pip 23.0 is the oldest that is promised; the plugin then answers without any extra."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    python = str(tmp_path / "env" / "bin" / "python")
    quiet = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    pip = [python, "-m", "pip", "install", "-q"]
    subprocess.run([*pip, "pip==23.0"], check=True, env=quiet)
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True, env=quiet)

    code = (
        "from importlib.metadata import entry_points;"
        "plugin, = entry_points(group='variant_plugins', name='nvidia');"
        "print(len(plugin.load().get_all_configs()), plugin.load().namespace)"
    )
    asked = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert asked.stdout == "3 nvidia\n"
