"""Requests go the way that an installer's options and environment say."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.releases.network_settings import (
    Certificates,
    Proxies,
    Tls,
    host_to_trust,
    is_loopback,
)
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.mark.parametrize(
    ("environ", "option", "expected"),
    [
        ({}, "", {}),
        ({"https_proxy": "http://a"}, "", {"https": "http://a"}),
        ({"HTTP_PROXY": "http://a", "ALL_PROXY": "http://b"}, "",
         {"http": "http://a", "https": "http://b"}),
        ({"https_proxy": "http://a"}, "http://c", {"http": "http://c", "https": "http://c"}),
    ],
)  # fmt: skip
def test_an_option_beats_the_environment(
    environ: Mapping[str, str], option: str, expected: dict[str, str]
) -> None:
    assert Proxies(environ, option).by_scheme == expected


@pytest.mark.parametrize(
    ("listed", "url", "expected"),
    [
        ("", "https://index.example/", False),
        ("example", "https://index.example/", True),
        (" .Example , x", "https://INDEX.example:8443/", True),
        ("index.example", "https://myindex.example/", False),
        ("*", "https://index.example/", True),
    ],
)
def test_hosts_that_are_asked_without_a_proxy(listed: str, url: str, *, expected: bool) -> None:
    assert Proxies({"NO_PROXY": listed}).are_bypassed(url) is expected


def test_a_file_of_certificates_that_is_not_there_shows_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "absent.pem")

    with pytest.raises(InvalidValueError, match=r"absent\.pem: cannot be read as certificates"):
        Fetcher({"SSL_CERT_FILE": path})


def test_a_file_without_certificates_shows_with_the_first_address_that_needs_them(
    tmp_path: Path,
) -> None:
    path = tmp_path / "empty.pem"
    path.write_text("nothing\n")

    fetcher = Fetcher({}, Tls(str(path)))

    with pytest.raises(UpstreamError, match=r"empty\.pem: cannot be read as certificates"):
        fetcher.get("https://127.0.0.1:9/", "*/*")


def test_a_folder_of_certificates_is_taken(tmp_path: Path) -> None:
    certificates = Certificates(Tls(str(tmp_path)))

    assert certificates.context() is certificates.context()


@pytest.mark.parametrize(
    ("trusted", "host", "expected"),
    [
        ((), "mirror.example", False),
        (("mirror.example",), "Mirror.example:8443", True),
        (("mirror.example:8443",), "mirror.example:8443", True),
        (("mirror.example:8443",), "mirror.example", False),
        (("https://mirror.example",), "user:word@mirror.example", True),
        (("example",), "mirror.example", False),
        (("[::1]",), "[::1]:443", True),
        (("*",), "mirror.example", True),
    ],
)
def test_hosts_whose_certificates_are_not_looked_at(
    trusted: tuple[str, ...], host: str, *, expected: bool
) -> None:
    assert Tls(trusted=trusted).trusts(host) is expected


def test_this_machine_is_known_by_its_names() -> None:
    hosts = ["localhost", "LOCALHOST:80", "127.0.0.9:8080", "[::1]:80", "[::1]", "mirror.example"]

    assert [is_loopback(host) for host in hosts] == [True, True, True, True, True, False]


def test_a_certificate_of_one_s_own_that_is_not_there_shows_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"own\.pem: cannot be read as certificates"):
        Certificates(Tls(client_cert=str(tmp_path / "own.pem")))


def test_a_system_without_certificates_goes_by_those_of_certifi(tmp_path: Path) -> None:
    # OpenSSL reads these two itself, and finds nothing.
    bare = {"SSL_CERT_FILE": str(tmp_path / "absent.pem"), "SSL_CERT_DIR": str(tmp_path)}
    code = (
        "from nvidia_variant_provider.tools.releases.network_settings import Certificates, Tls\n"
        "print(Certificates(Tls()).context().cert_store_stats()['x509_ca'] > 50)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | bare,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )

    assert done.stdout == "True\n"


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("http://index.example:8000/simple/", "index.example"),
        ("http://me:secret@index.example/simple/", "index.example"),
        ("https://index.example/simple/", ""),
        ("http://127.0.0.3:8000/simple/", ""),
        ("http://localhost/simple/", ""),
        ("http://[::1]:8000/simple/", ""),
        ("file:///srv/simple/", ""),
        ("http://[bad/simple/", ""),
        ("--index-url", ""),
    ],
)
def test_pip_has_to_be_told_to_trust_plain_http_of_other_machines(address: str, host: str) -> None:
    assert host_to_trust(address) == host
