"""Indexes over https, of an authority that only the installer was told of."""

from __future__ import annotations

import ssl
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import trustme

from examples.torch.clients import uv_executable
from tests.tools.views.clients import (
    clean_environment,
    installed,
    new_environment,
    pip_environment,
    run,
)
from tests.tools.views.stand_in import StandIn, add_others, main_index, variant_wheels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.tools.views.clients import Done

pytestmark = pytest.mark.clients

AUTHORITY = trustme.CA()
PIP = ("-m", "pip", "install", "--no-cache-dir", "--quiet", "--target", "site")
UV = ("pip", "install", "--quiet", "--target", "site")
RIGHT = {"torch": "2.16.0", "typing_extensions": "4.12.0", "nvidia_cublas_cu12": "1.126"}


def context(*, mutual: bool = False) -> ssl.SSLContext:
    """Return what serves as 127.0.0.1; ``mutual`` asks clients for a certificate, too."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(server)
    if mutual:
        AUTHORITY.configure_trust(server)
        server.verify_mode = ssl.CERT_REQUIRED
    return server


def variants() -> StandIn:
    """Return a release with variants, of which one needs its dependencies written anew."""
    index = StandIn()
    add_others(index)
    index.add_page("/simple/", "torch", variant_wheels())
    return index


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    return path


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment in which nobody is told of certificates."""
    told = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"}
    clean = {name: text for name, text in clean_environment(home).items() if name not in told}
    return clean | more


def pip(tmp_path: Path, url: str, *options: str, **environ: str) -> Done:
    python = pip_environment("26.3")
    command: list[str | Path] = [python, *PIP, *options, "-i", f"{url}/simple/", "torch"]
    return run(["--target", "h100@560"], command, environment(tmp_path, **environ), tmp_path)


def uv(tmp_path: Path, url: str, *options: str, **environ: str) -> Done:
    python = new_environment(tmp_path / "environment")
    index = ("--python", str(python), "--default-index", f"{url}/simple/")
    command = [uv_executable(), *UV, *options, *index, "torch"]
    return run(["--target", "h100@560"], command, environment(tmp_path, **environ), tmp_path)


def test_pip_s_certificates_are_the_view_s(tmp_path: Path, authority: Path) -> None:
    with variants().serving(context()) as url:
        done = pip(tmp_path, url, "--cert", str(authority))

    assert (done.code, installed(tmp_path / "site")) == (0, RIGHT), done.output


def test_uv_s_certificates_are_the_view_s(tmp_path: Path, authority: Path) -> None:
    with variants().serving(context()) as url:
        done = uv(tmp_path, url, SSL_CERT_FILE=str(authority))

    assert (done.code, installed(tmp_path / "site")) == (0, RIGHT), done.output


def test_a_certificate_of_pip_s_own_is_shown_by_the_view(tmp_path: Path, authority: Path) -> None:
    own = tmp_path / "own.pem"
    AUTHORITY.issue_cert("me@example.org").private_key_and_cert_chain_pem.write_to_path(str(own))

    with variants().serving(context(mutual=True)) as url:
        done = pip(tmp_path, url, "--cert", str(authority), "--client-cert", str(own))

    assert (done.code, installed(tmp_path / "site")) == (0, RIGHT), done.output


@pytest.mark.parametrize("installer", [pip, uv], ids=["pip", "uv"])
def test_a_host_that_the_installer_trusts_is_trusted_by_the_view(
    tmp_path: Path, installer: Callable[..., Done]
) -> None:
    with variants().serving(context()) as url:
        done = installer(tmp_path, url, "--trusted-host", "127.0.0.1")

    assert (done.code, installed(tmp_path / "site")) == (0, RIGHT), done.output


@pytest.mark.parametrize("installer", [pip, uv], ids=["pip", "uv"])
def test_an_authority_that_nobody_was_told_of_is_named(
    tmp_path: Path, installer: Callable[..., Done]
) -> None:
    with variants().serving(context()) as url:
        done = installer(tmp_path, url, PIP_RETRIES="0", UV_HTTP_RETRIES="0")

    assert done.code
    assert not (tmp_path / "site" / "torch").exists()
    assert "/simple/torch/: its certificate is not accepted: " in done.output
    assert "(pip: --cert FILE; uv: SSL_CERT_FILE=FILE)" in done.output


def test_credentials_pass_over_https(tmp_path: Path, authority: Path) -> None:
    index = main_index()
    index.login = "me:word"

    with index.serving(context()) as url:
        done = pip(tmp_path, url.replace("//", "//me:word@"), "--cert", str(authority))

    assert done.code == 0, done.output
    assert installed(tmp_path / "site")["torch"] == "2.15.0"
    assert "word" not in done.output


def test_a_question_about_an_index_goes_by_pip_s_certificates(
    tmp_path: Path, authority: Path
) -> None:
    with variants().serving(context()) as url:
        done = subprocess.run(
            [sys.executable, "-m", "nvidia_variant_provider", "explain", f"{url}/simple/torch/"],
            env=environment(
                tmp_path, PIP_CERT=str(authority), NV_VARIANT_PROVIDER_TARGET="h100@560"
            ),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )

    assert done.stdout.startswith(f"torch 2.16.0: {url}/simple/torch/\n")
