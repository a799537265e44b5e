"""Project pages of the simple API are the same files, whichever form they have."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.pages import PageFile, parse_page

URL = "https://index.example/simple/demo/"
JSON = "application/vnd.pypi.simple.v1+json"
WHEEL = "demo-1.0+cu130-py3-none-any.whl"
FILES = (
    PageFile(WHEEL, "https://index.example/files/demo-1.0%2Bcu130-py3-none-any.whl", "ab" * 32),
    PageFile(
        "demo-0.9.tar.gz", "https://other.example/demo-0.9.tar.gz", "", ">=3.10", yanked="broken"
    ),
)


def html(*links: str, head: str = "") -> bytes:
    return f"<!DOCTYPE html><html><head>{head}</head><body>{''.join(links)}</body></html>".encode()


def test_a_page_in_html() -> None:
    page = html(
        f'<a href="../../files/demo-1.0%2Bcu130-py3-none-any.whl#sha256={"AB" * 32}">demo</a>',
        '<a data-requires-python="&gt;=3.10" data-yanked="broken" href="https://other.example/demo-0.9.tar.gz">'
        "x</a>",
    )

    assert parse_page(page, "text/html; charset=utf-8", URL) == FILES


def test_a_page_in_json() -> None:
    document = {
        "meta": {"api-version": "1.1"},
        "files": [
            {
                "filename": WHEEL,
                "url": "../../files/demo-1.0%2Bcu130-py3-none-any.whl",
                "hashes": {"sha256": "AB" * 32},
                "yanked": False,
            },
            {
                "filename": "demo-0.9.tar.gz",
                "url": "https://other.example/demo-0.9.tar.gz",
                "hashes": {},
                "requires-python": ">=3.10",
                "yanked": "broken",
            },
        ],
    }

    assert parse_page(json.dumps(document).encode(), JSON, URL) == FILES


def test_a_base_moves_the_links() -> None:
    page = html('<a href="x-1.tar.gz">x</a>', head='<base href="https://cdn.example/a/">')

    assert parse_page(page, "text/html", URL) == (
        PageFile("x-1.tar.gz", "https://cdn.example/a/x-1.tar.gz"),
    )


def test_the_first_of_two_files_with_one_name_counts() -> None:
    page = html(*(f'<a href="https://{host}.example/x-1.tar.gz">x</a>' for host in "ab"))

    assert [file.url for file in parse_page(page, "text/html", URL)] == [
        "https://a.example/x-1.tar.gz"
    ]


def test_anchors_without_an_address_are_ignored() -> None:
    assert parse_page(html("<a>x</a>", '<a href="">y</a>', "<p>z"), "text/html", URL) == ()


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"\xff", b'{"files": 1}', b'{"files": [1]}', b'{"files": [{"url": "x"}]}',
     b'{"files": [{"filename": "x", "url": "http://[x"}]}', b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_page_in_json_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidValueError, match=URL):
        parse_page(data, JSON, URL)


@given(st.text(alphabet='<>ahref="[]:/#= x') | st.text())
def test_any_text_is_a_page_in_html_or_refused(text: str) -> None:
    data = f'{text}<a href="last">'.encode("utf-8", "surrogatepass")
    with contextlib.suppress(InvalidValueError):
        files = parse_page(data, "text/html", URL)

        assert len({file.name for file in files}) == len(files)


@pytest.mark.parametrize(
    "piece", [b"<a ", b"<", b'<a href="x" b="', b"<!--", b"text", b"<![CDATA["]
)
def test_a_page_on_which_no_tag_ends_is_refused(piece: bytes) -> None:
    page = b"<html>" + piece * (40_000 // len(piece) + 1)

    with pytest.raises(InvalidValueError, match="no tag ends for 32 KB"):
        parse_page(page, "text/html", "https://index.example/demo/")


@pytest.mark.deep
def test_a_page_of_millions_of_pieces_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="more than 2000000 pieces"):
        parse_page(b"<br>" * 2_000_001, "text/html", URL)
