"""What the site needs beyond docs/: files of the repository that pages link to, and visible marks.

On GitHub a page links to ``../schemas/lint.schema.json``; on the site that file lies at
``schemas/lint.schema.json``. The files below are added to the site under their paths in the
repository, and links to them are written anew, so that one text serves both.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).resolve().parents[1]
DOCS: Final = "docs/"
# Beside docs/, what pages may link to. A link to anything else fails the strict build.
INCLUDED: Final = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "SECURITY.md",
    "examples/**/*.md",
    "examples/**/*.Dockerfile",
    "examples/**/*.cu",
    "examples/**/*.py",
    "examples/**/*.yml",
    "examples/**/CMakeLists.txt",
    "examples/**/meson.build",
    "examples/**/*.toml",
    "schemas/*.schema.json",
    "tests/tools/conformance/second.py",
)
_LINK: Final = re.compile(r"(?P<head>\]\()(?P<path>[^)#:\s]+)(?P<tail>(?:#[^)\s]*)?\))")
_FENCE: Final = re.compile(r"^( *```.*?^ *```)", re.MULTILINE | re.DOTALL)
_INFO: Final = re.compile(r"^( *```[\w-]+) [^\n]+")
_MARK: Final = re.compile(r"^( *)\*(Not run in CI: [^*]+)\*$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files of the repository that pages link to."""
    for pattern in INCLUDED:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links at where the site has the files, and give the marks their class."""
    del config
    source = page.file.src_uri
    here = source if files.get_file_from_path(source) and _is_included(source) else DOCS + source
    parts = _FENCE.split(markdown)
    # Every second part is a fenced block.
    parts[::2] = [_outside_fences(part, here, source) for part in parts[::2]]
    # GitHub takes further words behind the language, which tests go by; the site does not.
    parts[1::2] = [_INFO.sub(r"\1", part, count=1) for part in parts[1::2]]
    return "".join(parts)


def _outside_fences(text: str, here: str, source: str) -> str:
    text = _LINK.sub(lambda link: _moved(link, here, source), text)
    return _MARK.sub(r"\1\2\n\1{: .not-run }", text)


def _moved(link: re.Match[str], here: str, source: str) -> str:
    path = link["path"]
    in_repository = posixpath.normpath(posixpath.join(posixpath.dirname(here), path))
    on_site = in_repository.removeprefix(DOCS)
    moved = posixpath.relpath(on_site, posixpath.dirname(source) or ".")
    return f"{link['head']}{moved}{link['tail']}"


def _is_included(source: str) -> bool:
    return not (ROOT / DOCS / source).exists()
