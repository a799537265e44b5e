"""One project in several indexes: which of them uv asks, and what pip puts together of all.

uv takes the first index that has a page of the project, whatever is on it, and stops at one that
answers with an error other than 404. pip takes the newest version of all pages, passes over an
index that does not answer, and of equal wheels takes the last index's. PEP 825 leaves several
sources to the installer.

Source: measured with the versions in the table of installers, which
tests/contract/test_several_indexes.py asks again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.logins import redacted
from nvidia_variant_provider.tools.releases.release import Release, Several
from nvidia_variant_provider.tools.releases.requested import requirement_of
from nvidia_variant_provider.tools.releases.simple_index import (
    IndexPage,
    ask_index,
    listing_of,
    merged_listing,
)
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nvidia_variant_provider.tools.releases.http import Fetcher

_NOT_FOUND: Final = 404
_LOGIN: Final = 401


@dataclass(frozen=True, slots=True)
class _Asked:
    """An index and its page of the project, or how it failed; ``status`` is 0 without an answer."""

    url: str
    page: IndexPage | None = None
    error: str = ""
    status: int = 0


def read_several(
    package: str, for_uv: Sequence[str], for_pip: Sequence[str], fetcher: Fetcher
) -> Release:
    """Return the release that uv sees, with the one that pip sees in ``several``.

    ``package`` is a requirement; the addresses are in the order of each installer. Raises
    ``InvalidValueError`` if neither sees a release.
    """
    requirement_of(package, "several indexes:")
    asked = {url: _ask(url, package, fetcher) for url in dict.fromkeys((*for_uv, *for_pip))}
    of_uv, uv_line = _release_of_uv([asked[url] for url in for_uv], package)
    of_pip, pip_line = _release_of_pip([asked[url] for url in for_pip], package)
    if of_uv.wheels == of_pip.wheels == ():
        raise InvalidValueError(f"{of_uv.trouble}; {of_pip.trouble}")
    named = of_uv if of_uv.wheels else replace(of_uv, name=of_pip.name)
    lines = filter(None, (uv_line, pip_line, *_passed_over(asked[url] for url in for_pip)))
    return replace(named, several=Several(of_pip, tuple(lines)))


def _passed_over(asked: Iterable[_Asked]) -> Iterator[str]:
    for index in asked:
        if index.page is None and index.status not in {_NOT_FOUND, _LOGIN}:
            yield f"pip goes on without an index that fails: {index.error}"


def _ask(url: str, package: str, fetcher: Fetcher) -> _Asked:
    shown = redacted(url)
    try:
        return _Asked(shown, ask_index(url, package, fetcher))
    except InvalidValueError as error:
        cause = error.__cause__
        status = cause.status if isinstance(cause, UpstreamError) else 0
        return _Asked(shown, None, str(error), status)


def _release_of_uv(asked: Sequence[_Asked], package: str) -> tuple[Release, str]:
    """Return the release of the first index with the project, and a line that says so."""
    for place, index in enumerate(asked):
        later = [other for other in asked[place + 1 :] if other.page is not None]
        left = f"; it does not look at {later[0].url}" if later else ""
        if index.page is not None:
            line = f"uv takes the first index with the project: {index.url}{left}"
            try:
                return listing_of(index.page).release(package), line
            except InvalidValueError as error:
                return _nothing(package, f"{error}: uv ends there{left}"), line
        if index.status != _NOT_FOUND:
            return _nothing(package, f"uv stops at an index that fails: {index.error}{left}"), ""
    return _nothing(package, f"no index of uv has {package}"), ""


def _release_of_pip(asked: Sequence[_Asked], package: str) -> tuple[Release, str]:
    """Return the newest release of all indexes, and a line that says whose wheels it has."""
    login = next((index for index in asked if index.status == _LOGIN), None)
    if login is not None:
        return _nothing(package, f"pip asks for a password: {login.error}"), ""
    pages = [index.page for index in asked if index.page is not None]
    if not pages:
        return _nothing(package, f"no index of pip has {package}"), ""
    try:
        release = merged_listing(pages).release(package)
    except InvalidValueError as error:
        return _nothing(package, f"pip finds nothing: {error}"), ""
    wheels = {str(wheel) for wheel in release.wheels or ()}
    having = {
        index.url: wheels & set(index.page.files) for index in asked if index.page is not None
    }
    having = {url: there for url, there in having.items() if there}
    *others, last = having or [""]
    line = f"pip takes the newest of all indexes: {release.version}"
    if len(set(map(frozenset, having.values()))) > 1:
        return release, f"{line} of {' or '.join(having)}: the better platform tag counts"
    equal = f", the last with this wheel, before {', '.join(others)}" if others else ""
    return release, f"{line} of {last}{equal}"


def _nothing(package: str, why: str) -> Release:
    """Return a release of which there is nothing, for the reason that is given."""
    return Release(package, "", "", (), None, listed=False, trouble=why)
