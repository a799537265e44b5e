"""The built distribution: what is in it, what it needs, and that an old pip installs it."""

from __future__ import annotations

import email.parser
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from nvidia_variant_provider.tools.findings.code_pages import PAGES

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.clients


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with everything that a release consists of."""
    folder = tmp_path_factory.mktemp("released")
    script = str(ROOT / ".ci" / "build_dist.py")
    subprocess.run(
        [sys.executable, script, "--outdir", str(folder)], check=True, capture_output=True
    )
    return folder


@pytest.fixture(scope="module")
def wheel(released: Path) -> Path:
    return next(released.glob("*.whl"))


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
        carried = archive.read(f"nvidia_variant_provider/tools/findings/pages/{page}.md")

    assert carried == (ROOT / f"docs/{page}.md").read_bytes()


def test_the_source_distribution_holds_tests_and_licence(released: Path) -> None:
    with tarfile.open(next(released.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"LICENSE", "README.md", "CHANGELOG.md", "tests/test_model.py"} <= names
    assert not [name for name in names if name.startswith((".venv", ".cache", ".git/", ".github"))]


def test_mirrors_know_the_version_of_the_metadata(wheel: Path) -> None:
    fields = email.parser.Parser().parsestr(metadata(wheel, "METADATA"))

    assert fields["Metadata-Version"] == "2.4"


def test_the_licences_of_all_parts_come_along(wheel: Path, bill: dict[str, Any]) -> None:
    fields = email.parser.Parser().parsestr(metadata(wheel, "METADATA"))

    assert fields["License-Expression"] == "Apache-2.0 AND BSD-3-Clause"
    assert fields.get_all("License-File") == ["LICENSE", "LICENSES/BSD-3-Clause.txt"]
    text = metadata(wheel, "licenses/LICENSES/BSD-3-Clause.txt")
    assert "PCI ID Project" in text
    assert "Redistributions in binary form" in text
    package = bill["metadata"]["component"]
    assert package["licenses"] == [{"expression": "Apache-2.0 AND BSD-3-Clause"}]


def test_nothing_that_is_built_carries_a_time(released: Path) -> None:
    """Two builds a day apart give the same bytes only if no clock is read."""
    dates = set[tuple[int, ...]]()
    for path in released.iterdir():
        if path.suffix in {".whl", ".pyz"}:
            with zipfile.ZipFile(path) as archive:
                dates |= {info.date_time for info in archive.infolist()}

    with tarfile.open(next(released.glob("*.tar.gz"))) as archive:
        times = {info.mtime for info in archive.getmembers()}

    assert dates == {(2020, 2, 2, 0, 0, 0), (1980, 1, 1, 0, 0, 0)}
    assert times == {1580601600}


def test_the_list_of_hashes_is_complete_and_true(released: Path) -> None:
    rows = [line.split("  ") for line in (released / "SHA256SUMS").read_text().splitlines()]
    listed = {name: digest for digest, name in rows}

    beside = {"SHA256SUMS", *(path.name for path in released.glob("*.sha256"))}
    found = {path.name: path for path in released.iterdir() if path.name not in beside}
    assert listed == {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()
    }


@pytest.fixture
def bill(wheel: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(wheel.with_name(f"{wheel.name}.cdx.json").read_text())
    return document


def test_the_bill_of_the_wheel_is_valid_cyclonedx(bill: dict[str, Any]) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill))

    assert error is None, str(error)[:300]


def test_the_bill_lists_every_file_of_the_wheel(wheel: Path, bill: dict[str, Any]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        wanted = {it: hashlib.sha256(archive.read(it)).hexdigest() for it in archive.namelist()}

    files = [it for it in bill["components"] if it["type"] == "file"]

    assert {it["name"]: it["hashes"][0]["content"] for it in files} == wanted
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert bill["metadata"]["component"]["hashes"][0]["content"] == digest


def test_the_bill_tells_what_extras_want_and_what_built_it(
    wheel: Path, bill: dict[str, Any]
) -> None:
    fields = email.parser.Parser().parsestr(metadata(wheel, "METADATA"))
    required = [Requirement(text) for text in fields.get_all("Requires-Dist", [])]

    optional = {it["name"] for it in bill["components"] if it.get("scope") == "optional"}

    ours = ('extra == "tools"', 'extra == "dask"')
    assert optional == {it.name for it in required if str(it.marker).endswith(ours)}
    assert "packaging" in optional
    assert "pytest" not in optional
    backend = bill["metadata"]["tools"]["components"][0]
    assert f"{backend['name']} {backend['version']}" in metadata(wheel, "WHEEL")


@pytest.mark.deep
def test_an_old_pip_installs_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """pip 23.0 is the oldest that is promised; the plugin then answers without any extra."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    python = str(tmp_path / "env" / "bin" / "python")
    quiet = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    pip = [python, "-m", "pip", "install", "-q"]
    subprocess.run([*pip, "pip==23.0"], check=True, env=quiet)
    subprocess.run([*pip, "--no-index", str(wheel)], check=True, env=quiet)

    code = (
        "from importlib.metadata import entry_points;"
        "plugin, = entry_points(group='variant_plugins', name='nvidia');"
        "print(len(plugin.load().get_all_configs()), plugin.load().namespace)"
    )
    asked = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert asked.stdout == "3 nvidia\n"
