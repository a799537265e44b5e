"""What a view answers with: pages and files, and what it tells of them afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.views.rendering import render_html, render_json

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.metadata.ordering import Properties
    from nvidia_variant_provider.tools.releases.pages import PageFile, ProjectStatus
    from nvidia_variant_provider.tools.views.baking import Baked
    from nvidia_variant_provider.tools.views.model import Shown, View

_GONE: Final = frozenset({404, 410})
_FAILED_DEPENDENCY: Final = 424
_BAD_GATEWAY: Final = 502
_MOST_LINES: Final = 1000


NOT_MODIFIED: Final = 304
"""The status of an index's answer to a client that has the file already."""


def status_of(error: Exception) -> int:
    """Return the status to answer with.

    Installers ask again, for seconds, after one from 500 on; and pip asks a person for the password
    of the view after a 401.
    """
    if isinstance(error, UpstreamError) and error.status in _GONE:
        return error.status
    is_lasting = isinstance(error, UpstreamError) and error.is_lasting
    is_damaged = isinstance(error, InvalidValueError)
    return _FAILED_DEPENDENCY if is_lasting or is_damaged else _BAD_GATEWAY


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered for a project.

    Either the address of the upstream's own page (``moved``), or files with their versions, or an
    error: ``status`` and ``reason``. ``cache_control`` is that of the upstream's own page.
    """

    status: int = 200
    reason: str = ""
    moved: str = ""
    cache_control: str = ""
    project: str = ""
    files: tuple[PageFile, ...] = ()
    versions: tuple[str, ...] = ()
    project_status: ProjectStatus | None = None
    _bodies: dict[bool, bytes] = field(default_factory=dict, repr=False)

    def body(self, *, as_json: bool) -> bytes:
        """Return the page, rendered once for all who ask."""
        if as_json not in self._bodies:
            self._bodies[as_json] = (
                render_json(self.project, self.files, self.versions, self.project_status)
                if as_json
                else render_html(self.project, self.files, self.project_status)
            )
        return self._bodies[as_json]

    def take_own(self) -> bytes:
        """Return the upstream's own page as JSON, b"" where it has to be asked for there.

        It was read to see whether there is a choice, so whoever asks first gets it without asking
        again. It is not kept: an installer asks for a page once.
        """
        return self._bodies.pop(True, b"") if self.moved else b""


@dataclass(frozen=True, slots=True)
class Served:
    """A file that our addresses lead to.

    ``baked`` is its METADATA if it is a variant wheel, ``None`` if that is not known yet;
    ``properties`` are what its label stands for.
    """

    shown: Shown
    properties: Properties = field(default_factory=dict)
    baked: Baked | None = None

    @property
    def is_upstream_s(self) -> bool:
        """Whether the upstream's own file is what is served."""
        return not self.shown.bake_for or (self.baked is not None and not self.baked.is_changed)


@dataclass(slots=True)
class Log:
    """What a person is told after the installer has ended; every line once, in order.

    ``warnings`` have a hint each, or "". ``missing`` says of projects why they have no files.
    """

    views: dict[str, View] = field(default_factory=dict)
    warnings: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def note_warning(self, text: str, hint: str) -> None:
        """Take note of a warning, if there are not a thousand of them."""
        _note(self.warnings, text, hint)

    def note_missing(self, project: str, reason: str) -> None:
        """Take note of a project without files, if there are not a thousand of them."""
        _note(self.missing, project, reason)


def _note(lines: dict[str, str], text: str, more: str) -> None:
    # Whoever reaches a server can ask it for any number of projects.
    if text in lines or len(lines) < _MOST_LINES:
        lines[text] = more
