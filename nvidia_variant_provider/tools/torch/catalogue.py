"""Which releases and builds of torch there are: those of the table, or those that an index has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tables.torch_builds import RELEASES, Confidence, TorchBuild
from nvidia_variant_provider.tools.torch.builds import (
    TORCH,
    TorchRelease,
    UnknownReleaseError,
    archs_text,
    builds_of,
    cuda_of_label,
    device_code,
    find_release,
    release_order,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.model import SmArch

STATED: Final = "the wheel"
"""The source of device code that a wheel itself states."""
ASSUMED: Final = " (assumed)"
"""What is said behind the source of another build's device code."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Releases and the labels that each has; ``None`` stands for the table's.

    ``address`` is that of the index they were read from; ``folders`` are the addresses of labels
    that do not lie below one, ``None`` where they do. ``others`` are releases that an index
    without builds by CUDA has beside the table's. ``stated`` is the device code that wheels state
    which the table does not know, by release and label; ``troubles`` say why one was not read.
    """

    labels: Mapping[str, frozenset[str]] | None = None
    address: str = ""
    others: frozenset[str] = frozenset()
    folders: Mapping[str, str] | None = None
    stated: Mapping[tuple[str, str], tuple[SmArch, ...]] = field(default_factory=dict)
    troubles: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def releases(self) -> tuple[str, ...]:
        """Every release, oldest first."""
        if self.labels is None and not self.others:
            return RELEASES
        known = {*RELEASES, *self._newer} if self.labels is None else set(self.labels)
        return tuple(sorted(known, key=release_order))

    @property
    def _newer(self) -> frozenset[str]:
        """The releases that the table cannot know, as they are newer."""
        newest = release_order(RELEASES[-1])
        return frozenset(text for text in self.others if release_order(text) > newest)

    def find(self, wanted: str | None) -> TorchRelease:
        """Return the release that a text means, as ``find_release`` does.

        Raises ``UnknownReleaseError``, also for one that the index does not have.
        """
        text = (wanted or "").strip().removeprefix("v").partition("+")[0]
        matching = [
            release for release in self.releases if not text or f"{release}.".startswith(f"{text}.")
        ]
        if self.labels is None and (not self._newer or not matching):
            return find_release(wanted)
        if not matching:
            # Raises for what is no version, and for releases before the table's.
            find_release(wanted)
            raise UnknownReleaseError(
                f"torch {text[:20]!r}: the index has no such release: {self.address}"
            )
        return TorchRelease(matching[-1], find_release(matching[-1]).known_as)

    def builds(self, release: TorchRelease, platform: str) -> tuple[TorchBuild, ...]:
        """Return the builds of a release for a platform, newest CUDA first."""
        if self.labels is None:
            return builds_of(release, platform)
        rows = [self._row(release.text, label, platform) for label in self.labels[release.text]]
        return tuple(sorted(filter(None, rows), key=lambda row: row.cuda, reverse=True))

    def _row(self, release: str, label: str, platform: str) -> TorchBuild | None:
        cuda, code = cuda_of_label(label), device_code(TORCH, release, label, platform)
        if cuda is None or code is None:
            return None
        archs, source, confidence = code.archs, code.source, code.confidence
        if stated := self.stated.get((release, label), ()):
            archs, source, confidence = stated, STATED, Confidence.MEASURED
        elif code.assumed:
            source = f"{source}{ASSUMED}"
        return TorchBuild(cuda, platform, release, release, archs_text(archs), source, confidence)


TABLE = Catalogue()
