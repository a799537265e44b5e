"""What was configured for an installer is the upstream of its view, and does not pass it by."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import uv_executable
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.installers.interpreter import default_index, target_python
from nvidia_variant_provider.tools.installers.requirements_files import check_requirements
from nvidia_variant_provider.tools.installers.uv_indexes import Detours
from nvidia_variant_provider.tools.views.upstream_settings import settings_for
from tests.tools.views.clients import (
    PIPS,
    clean_environment,
    installed,
    new_environment,
    pip_environment,
    run,
)
from tests.tools.views.stand_in import LINUX, StandIn, cuda_index, main_index, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

MAIN = "https://main.example/simple/"
EXTRA = "https://extra.example/simple/"


def test_a_requirements_file_that_names_an_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inner.txt").write_text("torch\n--extra-index-url https://x.example/ # why\n")
    (tmp_path / "outer.txt").write_text("-r inner.txt\n")

    with pytest.raises(InvalidValueError, match=r"inner\.txt, line 2: --extra-index-url"):
        check_requirements(["install", "-r", "outer.txt"], str(tmp_path))


def test_pip_s_own_python_and_another_platform_are_known() -> None:
    own = target_python([sys.executable, "-m", "pip", "install", "x"], os.environ)
    crossed = target_python(
        [sys.executable, "-m", "pip", "install", "--platform", "manylinux_2_28_aarch64",
         "--python-version", "3.12", "--only-binary", ":all:", "x"], os.environ,
    )  # fmt: skip

    assert own is not None
    assert own.version == ".".join(map(str, sys.version_info[:3]))
    assert crossed is not None
    assert "cp312-cp312-manylinux_2_28_aarch64" in {str(it) for it in crossed.tags}
    assert target_python(["sh", "-c", "pip install x"], os.environ) is None


@pytest.mark.clients
def test_the_python_of_uv_is_the_one_that_it_installs_for(tmp_path: Path) -> None:
    other = new_environment(tmp_path / "app" / ".venv")
    folder = tmp_path / "app" / "src"
    folder.mkdir()
    uv = str(uv_executable())
    environ = clean_environment(tmp_path)
    version = ".".join(map(str, sys.version_info[:3]))
    install = ["pip", "install", "x"]
    beside = target_python([uv, "--directory", str(folder), *install], environ)
    answers = {
        "named": target_python([uv, *install, "--python", str(other)], environ),
        "its environment": target_python([uv, *install, f"--python={other.parents[1]}"], environ),
        "by variable": target_python([uv, *install], environ | {"UV_PYTHON": str(other)}),
        "activated": target_python(
            [uv, *install], environ | {"VIRTUAL_ENV": str(other.parents[1])}
        ),
    }

    assert {name: it and it.version for name, it in answers.items()} == dict.fromkeys(
        answers, version
    )
    assert beside is None
    assert target_python([uv, *install, "--python-version", "3.8"], environ) is None


@pytest.mark.clients
def test_uv_is_not_shown_a_version_with_a_cpu_build_alone_for_its_python(tmp_path: Path) -> None:
    cuda = StandIn()
    builds = ("2.15.0+cu130-cp39-cp39", "2.15.0+cpu-cp310-abi3", "2.14.1+cu126-cp310-abi3")
    names = [f"torch-{it}-{LINUX}.whl" for it in builds]
    cuda.add_page("/whl/", "torch", {it: make_wheel(it) for it in names}, where="whl/{label}")
    python = new_environment(tmp_path / "venv")
    with cuda.serving() as address:
        done = run(
            ["--target", "h100@580", "--cuda-index", f"{address}/whl"],
            [uv_executable(), "pip", "install", "--python", python, "torch"],
            clean_environment(tmp_path, UV_DEFAULT_INDEX=f"{address}/simple/"),
        )

    assert (done.code, installed(tmp_path / "venv")) == (0, {"torch": "2.14.1+cu126"}), done.output


@pytest.mark.clients
def test_the_default_index_is_what_pip_and_uv_say() -> None:
    from pip._internal.models.index import PyPI

    shown = subprocess.run(
        [uv_executable(), "pip", "install", "--help"], capture_output=True, text=True, check=True
    )

    assert default_index(os.environ) == PyPI.simple_url
    assert PyPI.simple_url in shown.stdout


@pytest.mark.clients
@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_settings_in_files_are_the_upstream_and_do_not_pass_the_view_by(
    tmp_path: Path, tool: str
) -> None:
    """uv's file is that of another folder, with a login and a limit; pip's of an environment."""
    other = main_index()
    other.login = "me:word"
    other.add_page(
        "/simple/", "mine", {"mine-1.0-py3-none-any.whl": make_wheel("mine-1.0-py3-none-any.whl")}
    )
    python = new_environment(tmp_path / "site")
    with main_index().serving() as main, other.serving() as extra, cuda_index().serving() as cuda:
        conf = (
            f"index-url={main}/simple/\nextra-index-url={extra.replace('//', '//me:word@')}/simple/"
        )
        (tmp_path / "site" / "pip.conf").write_text(f"[global]\n{conf}\n")
        (tmp_path / "app").mkdir()
        (tmp_path / "app" / "uv.toml").write_text(
            f'constraint-dependencies = ["torch<2.14"]\ntorch-backend = "cpu"\n[[index]]\n'
            f'name = "corp-a"\nurl = "{extra}/simple/"\n[[index]]\nurl = "{main}/simple/"\n'
            "default = true\n"
        )
        login = {"UV_INDEX_CORP_A_USERNAME": "me", "UV_INDEX_CORP_A_PASSWORD": "word"}
        environ = clean_environment(tmp_path, **login)
        environ.pop("UV_NO_CONFIG")
        environ.pop("PIP_CONFIG_FILE")
        words: dict[str, list[str | Path]] = {
            "pip": [pip_environment(PIPS[-1]), "-m", "pip", "--python", python, "install"],
            "uv": [uv_executable(), "--directory", "app", "pip", "install", "--python", python],
        }
        options = ["--target", "v100@580", "--cuda-index", f"{cuda}/whl"]
        done = run(options, [*words[tool], "torch", "mine"], environ, tmp_path)

    assert done.code == 0, done.output
    assert installed(tmp_path / "site") == {
        "torch": "2.14.1+cu126" if tool == "pip" else "2.13.0+cu126",
        "mine": "1.0",
        "typing_extensions": "4.12.0",
        "nvidia_cublas_cu12": "1.126",
    }


def test_a_dry_run_of_a_project_that_no_index_has_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    environ = clean_environment(tmp_path, PIP_INDEX_URL=str(tmp_path / "index"))
    done = run(["--dry-run"], ["pip", "install", "no-such-project"], environ)

    assert done.code == 2
    assert "no-such-project: no index that is configured has this project" in done.output


@pytest.mark.parametrize(
    ("version", "code"), [("2.15.0", 1), ("2.14.1", 0)], ids=["no build", "a build"]
)
def test_a_dry_run_ends_as_the_real_run_would(tmp_path: Path, version: str, code: int) -> None:
    with main_index().serving() as main, cuda_index().serving() as cuda:
        environ = clean_environment(tmp_path, PIP_INDEX_URL=f"{main}/simple/")
        options = ["--dry-run", "--target", "v100@580", "--cuda-index", f"{cuda}/whl"]
        done = run(options, ["pip", "install", f"torch=={version}"], environ)

    assert done.code == code


@pytest.mark.parametrize(
    ("index", "more"),
    [
        ("https://mirror.example/simple/", ()),
        ("http://127.0.0.1:8000/simple/", ()),
        ("http://mirror.example/simple/", ("--trusted-host", "mirror.example")),
        ("http://mirror.example:80/simple/", ("--trusted-host=mirror.example:80",)),
    ],
)
def test_what_pip_would_ask_is_the_upstream(
    tmp_path: Path, index: str, more: tuple[str, ...]
) -> None:
    command = ["pip", "install", *more, "-i", index, "torch"]

    settings = settings_for(command, clean_environment(tmp_path), str(tmp_path))

    assert settings.indexes == (index,)


def test_what_pip_would_not_ask_over_plain_http_is_refused(tmp_path: Path) -> None:
    command = ["pip", "install", "-i", "http://me:word@mirror.example/simple/", "torch"]

    with pytest.raises(InvalidValueError) as caught:
        settings_for(command, clean_environment(tmp_path), str(tmp_path))

    assert str(caught.value) == (
        "http://mirror.example/simple/: pip takes nothing over plain http from a host that it is"
        " not told to trust; use https, or add --trusted-host mirror.example"
    )


def test_of_several_indexes_those_over_plain_http_are_left_out_as_pip_does(tmp_path: Path) -> None:
    links = "http://links.example/"
    command = ["pip", "install", "-i", MAIN, "--extra-index-url", "http://me:word@x.example/s/",
               "-f", links, "torch"]  # fmt: skip

    settings = settings_for(command, clean_environment(tmp_path), str(tmp_path))

    why = "is left out: pip takes nothing over plain http from a host that it is not told to trust"
    assert (settings.indexes, settings.configured.find_links) == ((MAIN,), ())
    assert settings.warnings == (
        f"http://x.example/s/ {why}; use https, or add --trusted-host x.example",
        f"{links} {why}; use https, or add --trusted-host links.example",
    )


@pytest.mark.parametrize(
    ("tool", "variable"), [("uv", "UV_CONSTRAINT"), ("pip", "PIP_CONSTRAINT"),
                           ("pip", "PIP_REQUIREMENT"), ("bash", "UV_OVERRIDE"),
                           ("bash", "PIP_CONSTRAINT")],
)  # fmt: skip
def test_files_that_variables_name_must_not_name_an_index_either(
    tmp_path: Path, tool: str, variable: str
) -> None:
    (tmp_path / "c.txt").write_text(f"torch<3\n--extra-index-url {EXTRA}\n")
    environ = clean_environment(tmp_path, **{variable: str(tmp_path / "c.txt")})

    with pytest.raises(InvalidValueError, match=r"c\.txt, line 2: --extra-index-url beats"):
        settings_for([tool, "pip", "install", "torch"], environ, str(tmp_path))


def test_what_lets_uv_choose_a_build_itself_is_left_out_and_that_is_said(tmp_path: Path) -> None:
    environ = clean_environment(tmp_path)
    command = ["uv", "pip", "install", "torch"]
    settings = settings_for([*command, "--torch-backend", "auto"], environ, str(tmp_path))
    by_variable = settings_for(command, environ | {"UV_TORCH_BACKEND": "cu126"}, str(tmp_path))

    assert settings.command == tuple(command)
    assert settings.notes == ("--torch-backend=auto is left out: the view selects the build",)
    assert by_variable.notes == ("UV_TORCH_BACKEND=cu126 is left out: the view selects the build",)


def test_a_file_that_is_named_for_uv_is_taken_off_its_command_line(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(f'index-url = "{MAIN}"\nresolution = "lowest"\n')
    command = ["uv", "--config-file", "my.toml", "pip", "install", "torch"]

    settings = settings_for(command, clean_environment(tmp_path), str(tmp_path))

    assert settings.command == ("uv", "pip", "install", "torch")
    assert settings.indexes == (MAIN,)
    assert settings.detours == Detours({"resolution": "lowest"}, ("index-url",))


def test_what_is_said_of_settings_shows_no_credentials(tmp_path: Path) -> None:
    (tmp_path / "Pipfile").write_text(
        '[[source]]\nname = "corp"\nurl = "https://me:word@mine.example/simple/"\n'
    )
    environ = clean_environment(
        tmp_path, PIP_INDEX_URL=MAIN, UV_INDEX=EXTRA.replace("//", "//me:word@")
    )
    warned = settings_for(["pipenv", "sync"], environ, str(tmp_path)).warnings
    noted = settings_for(["make"], environ, str(tmp_path)).notes

    assert "corp (https://mine.example/simple/)" in warned[0]
    assert f"not uv's ({EXTRA.rstrip('/')})" in noted[0]
