"""Credentials of ``uv auth login`` are used as uv uses them, by real uv's own file; never shown."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import uv_executable
from nvidia_variant_provider.tools.installers.pip_settings import read_pip
from nvidia_variant_provider.tools.installers.uv_credentials import store_path
from nvidia_variant_provider.tools.installers.uv_indexes import read_uv
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.releases.logins import Login
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.releases.uv_store import stored_for
from tests.tools.views.clients import clean_environment, installed, new_environment, run
from tests.tools.views.test_keyring import PASSWORD, locked_index

if TYPE_CHECKING:
    from pathlib import Path

HOST = "https://index.example"


def entry(service: str, user: str = "me", **more: str) -> str:
    secret = more or {"scheme": "basic", "password": f"of {service}"}
    lines = {"service": service, "username": user, **secret}
    return "[[credential]]\n" + "".join(f'{name} = "{text}"\n' for name, text in lines.items())


# Each row is what uv does with the same file.
@pytest.mark.parametrize(
    ("text", "user", "service"),
    [
        (entry(f"{HOST}/"), "", f"{HOST}/"),
        (entry(HOST), "", HOST),
        (entry(f"{HOST}/simple"), "", f"{HOST}/simple"),
        (entry(f"{HOST}/sim"), "", ""),
        (entry(f"{HOST}/other"), "", ""),
        (entry(f"{HOST}/") + entry(f"{HOST}/simple/"), "", f"{HOST}/simple/"),
        (entry(f"{HOST}/simple") + entry(f"{HOST}/"), "", f"{HOST}/simple"),
        (entry("http://index.example/"), "", ""),
        (entry("index.example"), "", ""),
        (entry(f"{HOST}:8443/"), "", ""),
        (entry(f"{HOST}/", "you"), "me", ""),
        (entry(f"{HOST}/", "you") + entry(f"{HOST}/", "me"), "me", f"{HOST}/"),
        ("[[credential", "", ""),
        ("[[credential]]\nservice = 1\n", "", ""),
        ("credential = 1\n", "", ""),
    ],
)
def test_an_entry_is_for_its_host_and_what_is_below_its_path(
    tmp_path: Path, text: str, user: str, service: str
) -> None:
    path = tmp_path / "credentials.toml"
    path.write_text(text)
    stored = stored_for(str(path), [f"{HOST}/simple/torch/"], user)

    assert stored == (("me", f"of {service}", False) if service else None)


def test_a_token_is_sent_as_one_and_shown_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "credentials.toml"
    path.write_text(entry(f"{HOST}/", scheme="bearer", token=PASSWORD))
    login = Login(*(stored_for(str(path), [f"{HOST}/x"], "") or ("", "")))

    assert login.header == f"Bearer {PASSWORD}"
    assert PASSWORD not in repr(login)


def test_netrc_and_a_stated_password_come_before_the_store(tmp_path: Path) -> None:
    with locked_index().serving() as main:
        path = tmp_path / "credentials.toml"
        path.write_text(entry(f"{main}/", scheme="basic", password=PASSWORD))
        page = f"{main}/simple/demo/"
        body = Fetcher({}, store=str(path)).get(page, "*/*").body
        named = Fetcher({}, store=str(path))
        named.remember(f"{main}/simple/".replace("//", "//me@"))
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password wrong\n")
        other = Fetcher({"HOME": str(tmp_path)}, store=str(path))
        stated = Fetcher({}, store=str(path))
        stated.remember(f"{main}/simple/".replace("//", "//me:wrong@"))

        assert named.get(page, "*/*").body == body
        for fetcher in (other, stated, Fetcher({})):
            with pytest.raises(UpstreamError, match="401"):
                fetcher.get(page, "*/*")


def test_files_of_the_host_get_the_credentials_of_its_index(tmp_path: Path) -> None:
    path = tmp_path / "credentials.toml"
    path.write_text(entry("http://index.example/team"))
    fetcher = Fetcher({}, store=str(path))
    before = Fetcher({}, store=str(path)).needs_login("http://index.example/files/x.whl")
    fetcher.remember("http://index.example/team/simple/")

    assert before is False
    assert fetcher.needs_login("http://index.example/files/x.whl")
    assert not fetcher.needs_login("http://elsewhere.example/files/x.whl")


def test_uv_alone_reads_its_store(tmp_path: Path) -> None:
    home = str(tmp_path)

    assert read_pip({"HOME": home, "PIP_CONFIG_FILE": "/dev/null"}, {}).store == ""
    assert read_uv({"HOME": home, "UV_NO_CONFIG": "1"}, {}, home).store == store_path(
        {"HOME": home}
    )


@pytest.mark.clients
@pytest.mark.skipif(sys.platform == "win32", reason="paths of other systems")
@pytest.mark.parametrize("place", ["home", "UV_CREDENTIALS_DIR", "XDG_DATA_HOME"])
def test_uv_installs_through_a_view_with_what_uv_auth_login_has_stored(
    tmp_path: Path, place: str
) -> None:
    python = new_environment(tmp_path / "venv")
    with locked_index().serving() as main:
        index = f"{main}/simple/"
        environ = clean_environment(tmp_path, UV_DEFAULT_INDEX=index)
        if place != "home":
            environ[place] = str(tmp_path / "elsewhere")
        login = [uv_executable(), "auth", "login", index, "--username", "me"]
        command: list[str | Path] = [uv_executable(), "pip", "install", "--python", python, "demo"]
        refused = run([], command, environ)
        subprocess.run([*login, "--password", PASSWORD], env=environ, check=True)
        done = run([], command, environ)

    assert refused.code != 0
    assert (done.code, installed(tmp_path / "venv")) == (0, {"demo": "1.0"}), done.output
    assert PASSWORD not in done.output
