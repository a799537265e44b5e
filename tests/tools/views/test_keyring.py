"""Credentials in a keyring: asked as pip and uv ask, for the host that wants some; never shown."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import uv_executable
from nvidia_variant_provider.tools.installers.index_options import shared_options
from nvidia_variant_provider.tools.installers.pip_settings import read_pip
from nvidia_variant_provider.tools.installers.uv_indexes import read_uv
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.releases.keyring import Keyring
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.views.daemons import start
from tests.tools.views.clients import (
    PIPS,
    clean_environment,
    installed,
    new_environment,
    pip_environment,
    run,
)
from tests.tools.views.stand_in import StandIn, main_index, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")
PASSWORD = "hunter2/@:x"  # noqa: S105 - of nobody
WHEEL = "demo-1.0-py3-none-any.whl"
# As the program of the project keyring: a name asks for a password, no name for both as JSON.
PROGRAM = f"""\
#!{sys.executable}
import json, sys
with open({{log!r}}, "a") as log:
    print(*sys.argv[1:], file=log)
words = [word for word in sys.argv[1:] if not word.startswith("--")]
if words[1] not in {{services!r}} or words[2:] not in ([], ["me"]):
    sys.exit("no password for me: {PASSWORD}")
if words[2:]:
    print({PASSWORD!r})
else:
    print(json.dumps({{{{"username": "me", "password": {PASSWORD!r}}}}}))
"""


def keyring_program(folder: Path, *services: str) -> Path:
    """Write a program that knows some services, and notes what it is asked."""
    folder.mkdir(exist_ok=True)
    program = folder / "keyring"
    program.write_text(PROGRAM.format(log=str(folder / "asked"), services=services))
    program.chmod(0o755)
    return program


def asked(folder: Path) -> list[str]:
    """Return what the program was asked."""
    log = folder / "asked"
    return log.read_text().splitlines() if log.exists() else []


def locked_index() -> StandIn:
    index = StandIn(login=f"me:{PASSWORD}")
    index.add_page("/simple/", "demo", {WHEEL: make_wheel(WHEEL)})
    return index


@pytest.mark.parametrize(
    ("user", "question"), [("", "--mode=creds --output=json get {}"), ("me", "get {} me")]
)
def test_the_index_and_then_its_host_are_asked_for_once_after_the_refusal(
    tmp_path: Path, user: str, question: str
) -> None:
    with locked_index().serving() as main:
        index, host = f"{main}/simple/", main.removeprefix("http://")
        program = keyring_program(tmp_path, host)
        fetcher = Fetcher({}, keyring=Keyring(((str(program),),), {}))
        fetcher.remember(index.replace("//", f"//{user}@") if user else index)
        before = fetcher.needs_login(f"{main}/files/x") or bool(user)
        bodies = [fetcher.get(f"{index}demo/", "*/*").body for _ in range(2)]
        after = fetcher.needs_login(f"{main}/files/x")

    assert asked(tmp_path) == [question.format(it) for it in (index, index[:-1], host)]
    assert (before, after, bodies[0] == bodies[1]) == (bool(user), True, True)


def test_an_open_index_and_a_password_that_was_stated_ask_no_keyring(tmp_path: Path) -> None:
    keyring = Keyring(((str(keyring_program(tmp_path)),),), {})
    with main_index().serving() as main:
        Fetcher({}, keyring=keyring).get(f"{main}/simple/torch/", "*/*")
    with locked_index().serving() as main:
        fetcher = Fetcher({}, keyring=keyring)
        fetcher.remember(f"{main}/simple/".replace("//", "//me:wrong@"))
        with pytest.raises(UpstreamError, match="401"):
            fetcher.get(f"{main}/simple/demo/", "*/*")

    assert asked(tmp_path) == []


def test_a_host_that_a_redirect_leads_to_gets_nothing_of_the_keyring(tmp_path: Path) -> None:
    keyring = Keyring(((str(keyring_program(tmp_path)),),), {})
    with locked_index().serving() as other:
        moved = {"/simple/demo/": (302, {"Location": f"{other}/simple/demo/"}, b"")}
        with (
            StandIn(answers=moved).serving() as main,
            pytest.raises(UpstreamError, match="401"),
        ):
            Fetcher({}, keyring=keyring).get(f"{main}/simple/demo/", "*/*")

    assert asked(tmp_path) == []


@pytest.mark.parametrize(
    "body", ["exit 1", "echo", "echo '{\"username\": 1}'", "sleep 60 & sleep 60"], ids=str
)
def test_a_keyring_that_fails_or_hangs_is_a_refusal_in_time(tmp_path: Path, body: str) -> None:
    program = tmp_path / "keyring"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    keyring = Keyring(((str(program),), ("/no/such/program",)), {}, timeout_s=0.5)
    before = time.monotonic()
    with locked_index().serving() as main:
        fetcher = Fetcher({}, keyring=keyring)
        fetcher.remember(f"{main}/simple/")
        with pytest.raises(UpstreamError, match="401"):
            fetcher.get(f"{main}/simple/demo/", "*/*")

    assert time.monotonic() - before < 20


def test_a_keyring_that_waits_for_somebody_ends_with_the_command(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "started")
    program = tmp_path / "keyring"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/started\nsleep 600\n")
    program.chmod(0o755)
    keyring = Keyring(((str(program),),), {}, timeout_s=300)
    asked = start(lambda: keyring.ask(["https://index.example/"], ""))
    pid = int((tmp_path / "started").read_text())
    keyring.close()

    assert (asked.result(60), keyring.ask(["https://index.example/"], "")) == (None, None)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("environ", "words", "of_pip", "of_uv"),
    [
        ({}, "install x", "auto", ""),
        ({"PIP_NO_INPUT": "1"}, "install x", "", ""),
        ({"PIP_NO_INPUT": "1", "PIP_KEYRING_PROVIDER": "subprocess"}, "", "subprocess", ""),
        ({"UV_KEYRING_PROVIDER": "subprocess"}, "install --no-input x", "", "subprocess"),
        ({}, "install --keyring-provider import x", "import", "import"),
        ({"PIP_KEYRING_PROVIDER": "import"}, "--keyring-provider=disabled", "", ""),
    ],
    ids=str,
)
def test_the_keyring_is_asked_as_the_installer_is_configured(
    tmp_path: Path, environ: dict[str, str], words: str, of_pip: str, of_uv: str
) -> None:
    named = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path), **environ}
    options = shared_options(["pip", *words.split()])

    assert read_pip(named, options).keyring == of_pip
    assert read_uv(named, options, str(tmp_path)).keyring == of_uv


def test_files_of_pip_and_uv_switch_the_keyring_on(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nkeyring-provider = subprocess\n")
    (tmp_path / "uv.toml").write_text('[pip]\nkeyring-provider = "subprocess"\n')
    environ = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}

    assert read_pip(environ, {}).keyring == "subprocess"
    assert read_uv(environ, {}, str(tmp_path)).keyring == "subprocess"


@pytest.mark.clients
@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_pip_and_uv_install_from_an_index_whose_password_is_in_the_keyring(
    tmp_path: Path,
    tool: str,
    is_on: bool,  # noqa: FBT001 - a parameter
) -> None:
    index = main_index()
    index.login = f"me:{PASSWORD}"
    with index.serving() as main:
        address = f"{main}/simple/"
        program = keyring_program(tmp_path / "bin", address)
        environ = clean_environment(
            tmp_path,
            PIP_INDEX_URL=address,
            UV_DEFAULT_INDEX=address.replace("//", "//me@"),
            **{f"{it}_KEYRING_PROVIDER": "subprocess" if is_on else "disabled"
               for it in ("PIP", "UV")},
        )  # fmt: skip
        environ["PATH"] = f"{program.parent}:{environ['PATH']}"
        if tool == "uv":
            python = new_environment(tmp_path / "site")
            words = [str(uv_executable()), "pip", "install", "-v", "--python", str(python)]
        else:
            python = pip_environment(PIPS[-1])
            words = [str(python), "-m", "pip", "install", "-v", "--target", f"{tmp_path}/site"]
        done = run(["--target", "rtx-5090@580"], [*words, "torch"], environ, tmp_path)
    expected = {"torch": "2.15.0", "typing_extensions": "4.12.0", "nvidia_cublas_cu13": "1.132"}

    assert (done.code == 0) is is_on, done.output
    assert PASSWORD not in done.output
    assert installed(tmp_path / "site") == (expected if is_on else {})
    assert bool(asked(tmp_path / "bin")) is is_on
