"""The stable codes and the sections that explain them, read from the pages a wheel carries.

The pages are those of ``docs/``; a wheel has copies in ``pages/``, so that whoever meets a code
offline, or as root in an image, can read what it means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES: Final = ("status", "errors", "lint", "verify", "inspect", "coverage", "explain")

_HERE: Final = Path(__file__).resolve().parent
# Of a checkout; beside an installed package there is none.
_DOCS: Final = _HERE.parents[2] / "docs"
# A section begins with its code: "## NVP-NONE", "### NV101: the file is ...", "### wsl-driver".
_HEADING: Final = re.compile(r"^(##|###) (.+)$", re.MULTILINE)
_CODE: Final = re.compile(r"(NVP-[A-Z-]+|NV\d{3}|[a-z]+(?:-[a-z]+)*)(?:$|:? )")
_NEAREST: Final = 4


@dataclass(frozen=True, slots=True)
class Section:
    """What a page says of one code: ``NV101``, ``NVP-NONE`` or ``wsl-driver``.

    ``title`` is the heading without the code, empty where the code says it all; ``text`` is
    Markdown.
    """

    code: str
    title: str
    text: str
    page: str

    @property
    def meaning(self) -> str:
        """The title, or the first sentence of the text, in plain words."""
        paragraph = self.text.removeprefix("**Meaning.**").partition("\n\n")[0]
        words = " ".join((self.title or paragraph).split())
        return re.split(r"(?<=[^.][.:]) (?=[A-Z`])", words)[0].rstrip(".:")


@cache
def sections() -> dict[str, Section]:
    """Return every section by its code, page by page in the order of the pages."""
    return {section.code: section for page in PAGES for section in _read(page)}


def find(code: str) -> Section:
    """Return the section of a code, whatever its case: ``nv101``.

    Raises ``InvalidValueError`` with codes that are near.
    """
    for name in (code, code.upper(), code.lower()):
        if section := sections().get(name):
            return section
    raise InvalidValueError(f"no code {code[:40]!r}{_hint(code)}; without a code all are listed")


def find_all(text: str) -> list[Section]:
    """Return the section of a code, or those of the codes that a pasted error text is about.

    Raises ``InvalidValueError`` with codes that are near.
    """
    from nvidia_variant_provider.tools.findings.error_texts import codes_of

    known = sections()
    pasted = [known[code] for code in codes_of(text)] if " " in text or "_" in text else []
    return pasted or [find(text)]


def _hint(code: str) -> str:
    import difflib

    by_case = {name.lower(): name for name in sections()}
    near = difflib.get_close_matches(code[:40].lower(), by_case, n=_NEAREST)
    return f", did you mean {' or '.join(by_case[name] for name in near)}?" if near else ""


def _read(page: str) -> Iterator[Section]:
    name = f"{page}.md"
    carried = _HERE / "pages" / name
    # A source tree has no copies: there the pages themselves are beside the package.
    path = carried if carried.is_file() else _DOCS / name
    text = path.read_text("utf-8")
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    for heading, end in zip(headings, ends, strict=True):
        code = _CODE.match(heading[2])
        if code and (heading[1] == "###" or code[1].startswith("NVP-")):
            title = heading[2][code.end() :].strip()
            yield Section(code[1], title, text[heading.end() : end].strip(), page)
