"""What a command asks for is read from wherever pip and uv read it, and nothing else is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from nvidia_variant_provider.tools.installers.asked_for import (
    Asked,
    asked_of,
    label_asked_for,
    matches,
    public_of,
)
from nvidia_variant_provider.tools.installers.installed import folder_of, installed_version, is_kept
from nvidia_variant_provider.tools.installers.interpreter import TargetPython

if TYPE_CHECKING:
    from pathlib import Path

WHEEL = "torch-2.6.0%2Bcu124-cp312-cp312-manylinux_2_28_x86_64.whl"
FILES = {
    "pinned.txt": "# all\ntorch==2.6.0 \\\n  --hash=sha256:00\nTorch_Vision  # any\n-e ./other\n",
    "outer.txt": "-r folder/inner.txt\n-c limits.txt\nnumpy\n",
    "folder/inner.txt": "torch<2.12\n-r ../outer.txt\n",
    "limits.txt": "torch>=2.6\nscipy<2\n",
    "markers.txt": "torch==2.2.2; sys_platform == 'darwin'\n"
    "torch==2.6.0; sys_platform != 'darwin' and python_version >= '3.12'\n",
    "address.txt": f"https://index.example/whl/{WHEEL}#sha256=00\n",
    "named.txt": f"torch @ https://index.example/whl/{WHEEL}\n",
    "broken.txt": "torch==2.6.0\n===\n\x00\ntorch=oops\n",
    "pyproject.toml": "[project]\ndependencies = ['torch==2.7.1', 'numpy']\n"
    "[project.optional-dependencies]\ngpu = ['torchvision==0.22.1']\n"
    "[dependency-groups]\nold = ['torch==2.6.0', { include-group = 'x' }]\n"
    "[tool.uv]\nconstraint-dependencies = ['numpy<3']\n",
    "lock/pyproject.toml": "[project]\ndependencies = ['torch']\n",
    "lock/uv.lock": "[[package]]\nname = 'torch'\nversion = '2.11.0+cu126'\n",
    "lock/poetry.lock": "[[package]]\nname = 'torch'\nversion = '2.11.0'\n",
    "lock/pdm.lock": "[[package]]\nname = 'torch'\nversion = '2.12.0'\n",
    "lock/Pipfile.lock": json.dumps({"default": {"torch": {"version": "==2.13.0"}}}),
    "pip.conf": "[global]\nconstraint = limits.txt\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def asked(command: str, folder: Path, **environ: str) -> Asked:
    clean = {"HOME": str(folder / "home"), "PIP_CONFIG_FILE": "/dev/null", **environ}
    return asked_of(command.split(), clean, str(folder), "3.12.1")


@pytest.mark.parametrize(
    ("command", "named", "listed", "torch"),
    [
        ("pip install -U Torch==2.14 ./folder numpy", ("torch", "numpy"), (), "==2.14"),
        # The values of options are no projects.
        ("pip install --python-version 3.12 -t site torch<3", ("torch",), (), "<3"),
        ("pip install -r pinned.txt", (), ("torch", "torch-vision"), "==2.6.0"),
        ("pip install --requirement=pinned.txt torch", ("torch",), ("torch", "torch-vision"),
         "==2.6.0"),
        ("pip install -router.txt", (), ("torch", "numpy"), "<2.12,>=2.6"),
        ("pip install torch -c limits.txt", ("torch",), (), ">=2.6"),
        ("uv --directory folder pip install -r inner.txt", (), ("torch", "numpy"), "<2.12,>=2.6"),
        ("uv run --with-requirements limits.txt x", (), ("torch", "scipy"), ">=2.6"),
        ("env A=1 nice pip install torch<3", ("torch",), (), "<3"),
        ("conda run -n x python -m pip install torch<3", ("torch",), (), "<3"),
        ("pip install -r markers.txt", (), ("torch",), "==2.6.0"),
        ("pip install -r address.txt", (), ("torch",), "==2.6.0+cu124"),
        ("pip install -r named.txt", (), ("torch",), "==2.6.0+cu124"),
        (f"pip install https://index.example/{WHEEL}", ("torch",), (), "==2.6.0+cu124"),
        ("pip install -r broken.txt", (), ("torch",), "==2.6.0"),
        ("pip install -r none.txt torch", ("torch",), (), ""),
        ("pip install .", (), ("torch", "numpy"), "==2.7.1"),
        ("pip install -e .[gpu]", (), ("torch", "numpy", "torchvision"), "==2.7.1"),
        ("pip list", (), (), ""),
        ("uv pip install -r pyproject.toml", (), ("torch", "numpy"), "==2.7.1"),
        ("uv pip install -r pyproject.toml --extra gpu", (), ("torch", "numpy", "torchvision"),
         "==2.7.1"),
        ("pip install --group old", (), ("torch",), "==2.6.0"),
        ("uv pip install --group=pyproject.toml:old", (), ("torch",), "==2.6.0"),
        ("uv pip sync pinned.txt", (), ("torch", "torch-vision"), "==2.6.0"),
        ("uv pip compile --python python3 pinned.txt", (), ("torch", "torch-vision"), "==2.6.0"),
        ("pip-compile --no-emit-index-url pinned.txt", (), ("torch", "torch-vision"), "==2.6.0"),
        ("uv run --no-project --with torch==2.8,numpy x.py", ("torch", "numpy"), (), "==2.8"),
        ("uvx --with torch==2.8 tool", ("torch",), (), "==2.8"),
    ],
)  # fmt: skip
def test_arguments_and_files_are_read(
    folder: Path, command: str, named: tuple[str, ...], listed: tuple[str, ...], torch: str
) -> None:
    seen = asked(command, folder)

    assert (seen.named, seen.listed, seen.of("torch")) == (named, listed, torch)


@pytest.mark.parametrize(
    ("command", "environ", "torch"),
    [
        ("pip install torch", {"PIP_CONSTRAINT": "limits.txt"}, ">=2.6"),
        ("pip install torch", {"UV_CONSTRAINT": "limits.txt"}, ""),
        ("uv pip install torch", {"UV_CONSTRAINT": "limits.txt"}, ">=2.6"),
        ("uv pip install torch", {"UV_OVERRIDE": "pinned.txt"}, "==2.6.0"),
        ("pip install", {"PIP_REQUIREMENT": "pinned.txt"}, "==2.6.0"),
        ("pip install torch", {"PIP_CONFIG_FILE": "{folder}/pip.conf"}, ">=2.6"),
    ],
)
def test_what_is_configured_counts_too(
    folder: Path, command: str, environ: dict[str, str], torch: str
) -> None:
    named = {name: text.format(folder=folder) for name, text in environ.items()}

    assert asked(command, folder, **named).of("torch") == torch


def test_uv_s_own_settings_constrain_what_it_installs(folder: Path) -> None:
    assert asked("uv pip install numpy", folder).of("numpy") == "<3"
    assert asked("uv pip install numpy", folder, UV_NO_CONFIG="1").of("numpy") == ""


@pytest.mark.parametrize(
    ("command", "torch"),
    [
        ("uv sync", "==2.11.0+cu126"),
        ("uv run python", "==2.11.0+cu126"),
        ("poetry install", "==2.11.0"),
        ("pdm sync", "==2.12.0"),
        ("pipenv install", "==2.13.0"),
        ("pip install .", ""),
    ],
)
def test_where_a_lock_file_decides_its_version_counts(
    folder: Path, command: str, torch: str
) -> None:
    assert asked(command, folder / "lock").of("torch") == torch


def test_a_local_version_counts_as_its_public_one() -> None:
    assert matches(Version("2.6.0"), "==2.6.0+cu124,<3")
    assert not matches(Version("2.7.0"), "==2.6.0+cu124")
    assert public_of("==2.6.0+cu124,<3") == "==2.6.0,<3"
    assert label_asked_for("<3,==2.6.0+cu124") == ("2.6.0", "cu124")
    assert label_asked_for("==2.6.0") == ("", "")


@pytest.mark.parametrize(
    ("command", "is_there", "stays"),
    [
        ("pip install torchaudio", True, True),
        ("pip install torch torchaudio", True, True),
        ("pip install -U torchaudio", True, True),
        ("pip install -U torch", True, False),
        ("pip install -U --upgrade-strategy eager torchaudio", True, False),
        ("pip install --force-reinstall torchaudio", True, False),
        ("pip install --target elsewhere torchaudio", False, False),
        ("pip install --user torchaudio", False, True),
        ("pip download torchaudio", False, False),
        ("uv pip install torchaudio", True, True),
        ("uv pip install -U torchaudio", True, False),
        ("uv pip install --reinstall-package torch torchaudio", True, False),
    ],
)
def test_what_is_installed_stays_unless_the_command_replaces_it(
    tmp_path: Path,
    command: str,
    is_there: bool,  # noqa: FBT001 - parameters
    stays: bool,  # noqa: FBT001
) -> None:
    (tmp_path / "torch-2.11.0+cu126.dist-info").mkdir()
    python = TargetPython((), "3.12.1", str(tmp_path))
    words = command.split()
    version = installed_version(folder_of(words, python), "torch")

    assert version == ("2.11.0+cu126" if is_there else "")
    assert is_kept("torch", words, asked_of(words, {}, str(tmp_path))) is stays
