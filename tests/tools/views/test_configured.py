"""What was configured for an installer is the upstream of its view, and does not pass it by."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import uv_executable
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.installers.configured import (
    Configured,
    read_pip,
    read_uv,
    uv_has_variants_on,
    uv_overrides,
    without_index_options,
)
from nvidia_variant_provider.tools.installers.interpreter import default_index, target_python
from nvidia_variant_provider.tools.installers.requirements_files import check_requirements
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


def pip_settings(folder: Path, **environ: str) -> Configured:
    return read_pip({"HOME": str(folder), "XDG_CONFIG_DIRS": str(folder), **environ}, {})


def test_pip_s_files_variables_and_options_count_in_this_order(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = {MAIN}\nproxy = p:1\n")
    named = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}
    settings = pip_settings(tmp_path, **named)
    by_variable = pip_settings(tmp_path, **named, PIP_INDEX_URL=EXTRA, PIP_EXTRA_INDEX_URL="")
    by_option = read_pip({"HOME": str(tmp_path), **named}, {"index-url": ["https://o.example/"]})

    assert (settings.index_url, settings.proxy) == (MAIN, "p:1")
    assert by_variable.index_url == EXTRA
    assert by_option.index_url == "https://o.example/"


def test_pip_s_lists_are_read_from_several_lines(tmp_path: Path) -> None:
    path = tmp_path / ".config" / "pip"
    path.mkdir(parents=True)
    text = (
        f"[install]\nextra-index-url =\n  {EXTRA}\n  {MAIN}\nno-index = true\nfind-links = /srv\n"
    )
    (path / "pip.conf").write_text(text)
    settings = pip_settings(tmp_path)

    assert (settings.extra, settings.find_links, settings.no_index) == (
        (EXTRA, MAIN),
        ("/srv",),
        True,
    )


def test_uv_s_other_indexes_come_before_its_default(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text(
        f'[[index]]\nurl = "{EXTRA}"\n[[index]]\nurl = "{MAIN}"\ndefault = true\n'
    )
    environ = {"HOME": str(tmp_path), "UV_INDEX": "named=https://named.example/"}
    settings = read_uv(environ, {}, str(tmp_path))

    assert settings.index_url == MAIN
    assert settings.extra == ("https://named.example/", EXTRA)
    assert settings.is_first_only


def test_what_would_send_uv_past_the_view_is_switched_off(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.uv]\nindex = [{{ url = "{EXTRA}" }}]\n'
        '[tool.uv.sources]\ntorch = { index = "cu130" }\nother = { path = "x" }\n'
    )
    environ = {"HOME": str(tmp_path)}

    assert uv_overrides(environ, str(tmp_path), ["torch", "other"]) == {
        "UV_NO_CONFIG": "1",
        "UV_NO_SOURCES_PACKAGE": "torch",
    }
    assert uv_overrides(environ, str(tmp_path.parent), ["torch"]) == {}


@pytest.mark.parametrize(
    ("words", "kept", "found"),
    [
        (["install", "-i", "U", "torch"], ["install", "torch"], {"index-url": ["U"]}),
        (["install", "--index-url=U"], ["install"], {"index-url": ["U"]}),
        (["--extra-index-url", "A", "--extra-index-url=B"], [], {"extra-index-url": ["A", "B"]}),
        (["-fdir", "--no-index", "x"], ["x"], {"find-links": ["dir"], "no-index": [""]}),
        (["install", "torch"], ["install", "torch"], {}),
    ],
    ids=str,
)
def test_options_that_name_indexes_are_taken_out(
    words: list[str], kept: list[str], found: dict[str, list[str]]
) -> None:
    assert without_index_options(words) == (kept, found)


def test_a_requirements_file_that_names_an_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inner.txt").write_text("torch\n--extra-index-url https://x.example/ # why\n")
    (tmp_path / "outer.txt").write_text("-r inner.txt\n")

    with pytest.raises(InvalidValueError, match=r"inner\.txt, line 2: --extra-index-url"):
        check_requirements(["install", "-r", "outer.txt"], str(tmp_path))


@pytest.mark.parametrize(
    ("environ", "words", "is_on"),
    [
        ({}, ["uv", "pip", "install"], False),
        ({"UV_PREVIEW_FEATURES": "a,wheel-variants"}, ["uv"], True),
        ({}, ["uv", "pip", "--preview-features", "wheel-variants"], True),
        ({}, ["uv", "--preview-features=wheel-variants"], True),
        ({"UV_PREVIEW": "1"}, ["uv"], True),
    ],
    ids=str,
)
def test_switched_on_variants_of_uv_are_seen(
    tmp_path: Path,
    environ: dict[str, str],
    words: list[str],
    is_on: bool,  # noqa: FBT001
) -> None:
    settings = {"HOME": str(tmp_path), **environ}

    assert uv_has_variants_on(settings, words, str(tmp_path)) is is_on


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
    other = main_index()
    other.add_page(
        "/simple/", "mine", {"mine-1.0-py3-none-any.whl": make_wheel("mine-1.0-py3-none-any.whl")}
    )
    with main_index().serving() as main, other.serving() as extra, cuda_index().serving() as cuda:
        conf = tmp_path / "pip.conf"
        conf.write_text(f"[global]\nindex-url={main}/simple/\nextra-index-url={extra}/simple/\n")
        indexes = f'[[index]]\nurl = "{extra}/simple/"\n[[index]]\nurl = "{main}/simple/"\n'
        (tmp_path / "uv.toml").write_text(f"{indexes}default = true\n")
        environ = clean_environment(tmp_path, PIP_CONFIG_FILE=str(conf))
        environ.pop("UV_NO_CONFIG")
        if tool == "uv":
            python = new_environment(tmp_path / "site")
            words = [str(uv_executable()), "pip", "install", "--python", str(python)]
        else:
            python = pip_environment(PIPS[-1])
            words = [str(python), "-m", "pip", "install", "--target", f"{tmp_path}/site"]
        options = ["--target", "v100@580", "--cuda-index", f"{cuda}/whl"]
        done = run(options, [*words, "torch", "mine"], environ, tmp_path)

    assert done.code == 0, done.output
    assert installed(tmp_path / "site") == {
        "torch": "2.14.1+cu126",
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


def test_what_requests_is_told_of_certificates_beats_pip(tmp_path: Path) -> None:
    options = {"cert": ["/own.pem"]}

    told = read_pip({"HOME": str(tmp_path), "CURL_CA_BUNDLE": "/told.pem"}, options)
    own = read_pip({"HOME": str(tmp_path), "SSL_CERT_FILE": "/system.pem"}, options)

    assert (told.cert, own.cert) == ("/told.pem", "/own.pem")
