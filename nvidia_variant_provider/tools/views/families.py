"""The per-CUDA indexes of a view: their files by label, and what is said of their faults."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nvidia_variant_provider.tables.cuda_indexes import FAMILY
from nvidia_variant_provider.tools.releases.upstream_error import NoAnswerError, UpstreamError
from nvidia_variant_provider.tools.torch.builds import TORCH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nvidia_variant_provider.tools.releases.pages import PageFile
    from nvidia_variant_provider.tools.views.upstream import CudaFamily


class Families:
    """Several families of per-CUDA indexes; a fault of one is a warning, and it is left out."""

    def __init__(
        self,
        families: Sequence[CudaFamily],
        warn: Callable[[str, str], None],
        keep_s: float | None = None,
    ) -> None:
        """``warn`` takes a text and a hint.

        A family that does not answer is not asked again for ``keep_s`` seconds, ``None``: at all.
        Ten projects that wait for it one after the other would take minutes.
        """
        self._families = families
        self._warn = warn
        self._keep_s = keep_s
        self._silent: dict[str, tuple[float, NoAnswerError]] = {}

    def files(self, project: str) -> dict[str, tuple[PageFile, ...]]:
        """Return a project's files by label."""
        by_label: dict[str, tuple[PageFile, ...]] = {}
        for family in self._families:
            if project not in family.projects:
                continue
            try:
                files = self._files(family, project)
            except UpstreamError as error:
                self._warn(
                    f"{project}: the CUDA builds at {family.base} are left out: "
                    f"{error}; only the main index's wheels are judged",
                    error.hint,
                )
                continue
            by_label.update(files)
            # With more projects it may be an index of these alone.
            if project == TORCH and not files and family.projects == frozenset(FAMILY):
                self._warn(
                    f"{TORCH}: there are no CUDA builds at {family.base}; only the main index's "
                    "wheels are judged",
                    "give --cuda-index the address above the folders cpu, cu126, cu130 ...",
                )
        return by_label

    def _files(self, family: CudaFamily, project: str) -> dict[str, tuple[PageFile, ...]]:
        since, before = self._silent.get(family.base, (0.0, None))
        is_over = self._keep_s is not None and time.monotonic() - since > self._keep_s
        if before is not None and not is_over:
            raise before
        try:
            return family.files(project)
        except NoAnswerError as error:
            self._silent[family.base] = time.monotonic(), error
            raise
