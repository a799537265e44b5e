"""What pip is configured to ask: its files, variables and options, in pip's order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tools.installers.pip_settings import read_pip

if TYPE_CHECKING:
    from pathlib import Path

    from nvidia_variant_provider.tools.installers.configured import Configured

MAIN = "https://main.example/simple/"
EXTRA = "https://extra.example/simple/"


def pip_settings(folder: Path, *command: str, **environ: str) -> Configured:
    settings = {"HOME": str(folder), "XDG_CONFIG_DIRS": str(folder), "PATH": "", **environ}
    return read_pip(settings, {}, command)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


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
    write(
        tmp_path / ".config" / "pip" / "pip.conf",
        f"[install]\nextra-index-url =\n  {EXTRA}\n  {MAIN}\nno-index = true\nfind-links = /srv\n",
    )
    settings = pip_settings(tmp_path)

    assert (settings.extra, settings.find_links, settings.no_index) == (
        (EXTRA, MAIN),
        ("/srv",),
        True,
    )


def test_the_section_of_a_command_beats_all_files_general_ones(tmp_path: Path) -> None:
    write(tmp_path / "pip" / "pip.conf", f"[install]\nindex-url = {MAIN}\n")
    write(tmp_path / ".config" / "pip" / "pip.conf", f"[global]\nindex-url = {EXTRA}\n")

    assert pip_settings(tmp_path, "pip", "install", "x").index_url == MAIN
    assert pip_settings(tmp_path, "pip", "download", "x").index_url == EXTRA


def test_a_named_file_takes_the_place_of_the_person_s(tmp_path: Path) -> None:
    write(tmp_path / ".config" / "pip" / "pip.conf", f"[global]\nextra-index-url = {EXTRA}\n")
    write(tmp_path / "named.conf", f"[global]\nindex-url = {MAIN}\n")
    settings = pip_settings(tmp_path, PIP_CONFIG_FILE=str(tmp_path / "named.conf"))
    gone = pip_settings(tmp_path, PIP_CONFIG_FILE=str(tmp_path / "no-such.conf"))

    assert (settings.index_url, settings.extra) == (MAIN, ())
    assert gone.extra == (EXTRA,)


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """Return an environment with a pip, and a pip.conf of its own, that is not activated."""
    folder = tmp_path / "env"
    write(folder / "pyvenv.cfg", "home = /usr/bin\n")
    write(folder / "pip.conf", f"[global]\nindex-url = {MAIN}\n")
    write(folder / "bin" / "pip", f"#!{folder}/bin/python\n")
    (folder / "bin" / "pip").chmod(0o755)
    (folder / "bin" / "python").symlink_to("/bin/sh")
    return folder


@pytest.mark.parametrize(
    "command",
    ["env/bin/pip install x", "env/bin/python -m pip install x",
     "pip --python env install x", "pip --python=env/bin/python install x"],
)  # fmt: skip
def test_the_file_of_the_environment_whose_pip_it_is_counts(
    tmp_path: Path, environment: Path, command: str
) -> None:
    words = [word.replace("env", str(environment)) for word in command.split()]

    assert pip_settings(tmp_path, *words).index_url == MAIN


def test_an_active_environment_s_file_counts_for_what_may_start_its_pip(
    tmp_path: Path, environment: Path
) -> None:
    active = {"VIRTUAL_ENV": str(environment)}
    on_path = {"PATH": str(environment / "bin")}

    assert pip_settings(tmp_path, "bash", "-c", "x", **active).index_url == MAIN
    assert pip_settings(tmp_path, "tox", **on_path).index_url == MAIN
    assert pip_settings(tmp_path, "tox").index_url == ""


def test_a_python_that_is_no_environment_has_its_file_where_it_really_lies(tmp_path: Path) -> None:
    prefix = tmp_path / "conda"
    write(prefix / "bin" / "python3.12", "")
    (prefix / "bin" / "python3.12").chmod(0o755)
    write(prefix / "pip.conf", f"[global]\nindex-url = {MAIN}\n")
    (tmp_path / "bin").mkdir()
    link = tmp_path / "bin" / "python3"
    link.symlink_to(prefix / "bin" / "python3.12")

    assert pip_settings(tmp_path, str(link), "-m", "pip", "install", "x").index_url == MAIN


def test_what_requests_is_told_of_certificates_beats_pip(tmp_path: Path) -> None:
    options = {"cert": ["/own.pem"]}

    told = read_pip({"HOME": str(tmp_path), "CURL_CA_BUNDLE": "/told.pem"}, options)
    own = read_pip({"HOME": str(tmp_path), "SSL_CERT_FILE": "/system.pem"}, options)

    assert (told.cert, own.cert) == ("/told.pem", "/own.pem")
