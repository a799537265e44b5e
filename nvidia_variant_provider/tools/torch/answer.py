"""The answer of ``torch-backend``: a folder of an index, or what to do where none fits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from nvidia_variant_provider.tables.cuda_indexes import JETSON_INDEXES, folder_address
from nvidia_variant_provider.tools.torch.backend import CPU, NO_BUILD, Backend, choose
from nvidia_variant_provider.tools.torch.builds import Partners, partners, release_order
from nvidia_variant_provider.tools.torch.catalogue import TABLE, Catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tables.cuda_indexes import JetsonIndex
    from nvidia_variant_provider.tools.torch.builds import TorchRelease


@dataclass(frozen=True, slots=True)
class TorchAnswer:
    """The choice for a machine, and what else would work.

    ``other`` is the nearest release with a build that fits, if the one asked for has none;
    ``passed`` are the newer releases without one, where no version was asked for. ``jetson`` is
    NVIDIA's own index for a Jetson that PyTorch's builds do not serve. ``catalogue`` is what was
    chosen among, ``on_index`` the companions that an index has, ``None`` where none was asked.
    """

    machine: Machine
    backend: Backend
    other: Backend | None = None
    passed: tuple[str, ...] = ()
    jetson: JetsonIndex | None = None
    allow_cpu: bool = False
    catalogue: Catalogue = TABLE
    on_index: Partners | None = None

    @property
    def index(self) -> str:
        """The address that was read, "" where the table of builds answered."""
        return self.catalogue.address

    @property
    def partners(self) -> Partners:
        """The torchvision and torchaudio that pair with the release."""
        return self.on_index or partners(self.backend.release)

    @property
    def wants_gpu(self) -> bool:
        """Whether the machine has a GPU or a driver, so that a CPU build would be a loss."""
        return bool(self.machine.gpus) or self.machine.cuda is not None

    @property
    def path(self) -> str:
        """The folder of the index: ``cu126``, ``cpu``, or ``no-build`` where none fits."""
        if self.backend.chosen:
            return self.backend.chosen.path
        return CPU if self.allow_cpu or not self.wants_gpu else NO_BUILD

    @property
    def address(self) -> str | None:
        """The address of that folder; ``None`` where no build fits, and for wheels in no index."""
        if self.path == NO_BUILD:
            return None
        if self.catalogue.folders is not None:
            return self.catalogue.folders.get(self.path)
        return folder_address(self.path, self.index)


def answer(
    machine: Machine,
    wanted: str | None,
    platform: str,
    *,
    allow_cpu: bool = False,
    catalogue: Catalogue = TABLE,
) -> TorchAnswer:
    """Choose a build of torch for a machine.

    Without a wanted version the newest torch counts that has a build that fits, as pip finds no
    newer one in the folder. ``catalogue`` is what an index has, in place of the table. Raises
    ``UnknownReleaseError`` for a version that is not there.
    """
    backend = _choose(machine, catalogue, catalogue.find(wanted), platform)
    given = partial(TorchAnswer, machine, allow_cpu=allow_cpu, catalogue=catalogue)
    if backend.chosen or not (machine.gpus and machine.cuda):
        return given(backend, jetson=_jetson(machine, backend))
    before, after = _around(catalogue, backend.release)
    older = _first_fitting(machine, catalogue, platform, reversed(before))
    if wanted is None and older:
        passed = (*before[before.index(older.release.text) + 1 :], backend.release.text)
        return given(older, passed=passed)
    newer = _first_fitting(machine, catalogue, platform, after)
    return given(backend, other=older or newer, jetson=_jetson(machine, backend))


def _choose(
    machine: Machine, catalogue: Catalogue, release: TorchRelease, platform: str
) -> Backend:
    return choose(machine, release, platform, catalogue.builds(release, platform))


def _first_fitting(
    machine: Machine, catalogue: Catalogue, platform: str, releases: Iterable[str]
) -> Backend | None:
    backends = (
        _choose(machine, catalogue, catalogue.find(release), platform) for release in releases
    )
    return next((backend for backend in backends if backend.serves_all), None)


def _around(catalogue: Catalogue, release: TorchRelease) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the releases before one and after it."""
    wanted = release_order(release.text)
    before = tuple(text for text in catalogue.releases if release_order(text) < wanted)
    return before, tuple(text for text in catalogue.releases if release_order(text) > wanted)


def _jetson(machine: Machine, backend: Backend) -> JetsonIndex | None:
    """Return NVIDIA's index of builds for a Jetson: the newest CUDA that its driver runs."""
    if backend.chosen or not machine.tegra or machine.cuda is None:
        return None
    for row in JETSON_INDEXES:
        same_major = row.cuda.major == machine.cuda.major
        if row.capability in machine.capabilities and same_major and row.cuda <= machine.cuda:
            return row
    return None
