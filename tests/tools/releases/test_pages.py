"""Project pages of the simple API are the same files, whichever form they have."""

from __future__ import annotations

import contextlib
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.pages import Limits, PageFile, parse_page

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


FEW = Limits(files=10, tags=40, attributes=100, values=200)
FILE = b'{"filename": "x", "url": "https://index.example/x"}'
TOO_MANY = {
    "tags": (b"<br>" * 41, "text/html", "40 tags"),
    "comments": (b"<!-- -->" * 41, "text/html", "40 tags"),
    "attributes": (
        b"<p " + b"a " * 60 + b"><p " + b"a " * 41 + b">",
        "text/html",
        "100 attributes",
    ),
    "files": (b"<a href=x>" * 11, "text/html", "10 files"),
    "files-in-json": (b'{"files": [' + b", ".join([FILE] * 11) + b"]}", JSON, "10 files"),
    "values": (b"[" * 201, JSON, "200 values"),
    "values-in-a-row": (b'{"files": [' + b"1," * 200 + b"1]}", JSON, "200 values"),
}


@pytest.mark.parametrize(("data", "kind", "words"), TOO_MANY.values(), ids=TOO_MANY)
def test_a_page_of_more_than_any_project_has_is_refused(data: bytes, kind: str, words: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        parse_page(data, kind, URL, FEW)

    assert str(caught.value) == (
        f"{URL}: not a page of the simple API: more than {words}, expected one project"
    )


@pytest.mark.parametrize("kind", ["text/html", JSON])
def test_a_page_of_just_as_much_as_it_may_have_is_read(kind: str) -> None:
    urls = [f"https://index.example/x-{number}.zip" for number in range(10)]
    page = "".join(f'<a href="{url}" a b c d e f g h i>x</a><br>\n' for url in urls)
    if kind == JSON:
        page = json.dumps({"files": [{"filename": url[-7:], "url": url} for url in urls]})

    assert [file.url for file in parse_page(page.encode(), kind, URL, FEW)] == urls


@pytest.mark.parametrize(
    "piece",
    ["<a ", "<", "< ", "<a href=x>", '<a href="x" b=\'', "</a ", "<!x>", "<!--", "<?x>", "<![x[",
     "<script>", "&lt;", "&x", "a=b ", "'", '"', "/", "\u0130"],
)  # fmt: skip
def test_the_work_on_a_page_grows_with_its_size_alone(piece: str) -> None:
    few, many = (_calls(f"<a {piece * number}>\n".encode()) for number in (250, 1000))

    assert many <= 4 * few + 100


def _calls(page: bytes) -> int:
    """Count the calls, of C too, that it takes to parse a page of HTML."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        with contextlib.suppress(InvalidValueError):
            parse_page(page, "text/html", URL)
    finally:
        sys.setprofile(before)
    return calls
