"""What ``run`` says after a command that failed: what was hidden, missing, slow or rewritten."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.cli import output
from nvidia_variant_provider.tools.cli.run_locks import tell_of_failure
from nvidia_variant_provider.tools.installers.asked_for import label_asked_for, matches
from nvidia_variant_provider.tools.installers.requirements_files import requires_hashes
from nvidia_variant_provider.tools.releases.logins import redacted
from nvidia_variant_provider.tools.releases.upstream_error import NO_ANSWER, NO_PAGE
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.views.model import View
    from nvidia_variant_provider.tools.views.service import ViewService

_MOST: Final = 3
# With these a command finds nothing of what is shown, and would of what is hidden neither.
_NARROWING: Final = frozenset({"--no-binary", "--exclude-newer", "--uploaded-prior-to"})
_SHORT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended with an exit code; ``options`` are those of ``run`` itself.

    ``index`` is the index that the command or a setting names, "" for the installer's default.
    ``since`` is when the command was started, in seconds since 1970.
    """

    command: tuple[str, ...]
    options: tuple[str, ...] = ()
    code: int = 0
    require_gpu: bool = False
    index: str = ""
    since: float = 0.0

    def again(self, command: tuple[str, ...] | None = None, *more: str) -> str:
        """Return the line that runs it, or another command, with the same and with more options."""
        words = (*self.options, *more, "--", *(command or self.command))
        return redacted(f"nvidia-variant-provider run {shlex.join(words)}")


def explain_failure(service: ViewService, ran: Ran) -> None:
    """Say why an installer may have found nothing, or another hash than it was told."""
    tell_of_failure(ran.command, os.getcwd())
    for view in service.log.views.values():
        _explain_hidden(view, ran)
        _explain_label(view)
    _explain_missing(service)
    _explain_waiting(service)
    if requires_hashes(ran.command, os.environ, os.getcwd()):
        _explain_hashes(service)


def _explain_hidden(view: View, ran: Ran) -> None:
    asked_for = view.asked
    hidden = [version for version in view.hidden if matches(version.version, asked_for)]
    if not hidden or any(word.partition("=")[0] in _NARROWING for word in ran.command):
        return
    for version in hidden[:_MOST]:
        output.note(f"{view.project} {version.version} is not shown: {version.hidden}")
    if len(hidden) > _MOST:
        output.note(f"{view.project}: {len(hidden) - _MOST} more versions likewise")
    if view.offered and asked_for:
        output.hint(f"ask for {view.project}=={view.offered[0].version}")
    output.hint(f"--any-version shows all: {ran.again(None, '--any-version')}")


def _explain_missing(service: ViewService) -> None:
    """Name the projects that have no files: an index at another address answers like that, too."""
    for project, reason in service.log.missing.items():
        output.note(f"{project}: {reason}")
    if service.log.missing:
        output.hint(NO_PAGE)


def _explain_waiting(service: ViewService) -> None:
    """Name what has not answered: the installer knows the address of the view alone."""
    waiting = [pair for pair in service.upstream.fetcher.waiting() if pair[1] > _SHORT_S]
    for address, seconds in waiting:
        output.warn(f"{address}: no answer in {seconds:.0f} s, until the command ended")
    if waiting:
        output.hint(NO_ANSWER)


def _explain_label(view: View) -> None:
    """Say that a build which is asked for by its label, ``==2.15.0+cu126``, is not there."""
    release, label = label_asked_for(view.asked)
    for version in view.versions:
        if str(version.version) == release and not version.asked_label:
            labels = dict.fromkeys(build.label for build in version.builds if build.label)
            output.note(
                f"{view.project} {release} has no build {label} for this platform: it has "
                f"{', '.join(labels) or 'builds without a label alone'}"
            )
            output.hint(f"ask for {view.project}=={release}, without a label")


def _explain_hashes(service: ViewService) -> None:
    """Name the wheels that are written anew, each with the hash that it has in the view."""
    rewritten = service.rewritten()
    for shown in rewritten:
        kept = service.bakery.kept(shown) if service.bakery else None
        known = f"here it has --hash=sha256:{kept.sha256}" if kept else "its hash is not known yet"
        output.note(
            f"{shown.name} is written anew for this view, as its requirements depend on the "
            f"variant ({shown.bake_for}), so its hash is not that of the index; {known}"
        )
    if rewritten:
        output.hint(
            "require the hash of the view, the same on every machine: 'nvidia-variant-provider run "
            "-- pip download --no-deps NAME==VERSION' makes it known, and the pages of "
            "'nvidia-variant-provider index DIR --view NAME@DRIVER' state it (docs/how-to/lock.md)"
        )
