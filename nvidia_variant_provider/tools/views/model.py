"""The values of a view: what goes in, what is shown, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from nvidia_variant_provider.tools.installers.asked_for import matches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.tags import Tag
    from packaging.version import Version

    from nvidia_variant_provider.model import Machine, SmArch
    from nvidia_variant_provider.tools.metadata.model import VariantMetadata
    from nvidia_variant_provider.tools.releases.pages import PageFile, ProjectStatus
    from nvidia_variant_provider.tools.wheels.name import WheelName


NO_FIT: Final = "no build fits this machine"
"""What a warning says of a version whose builds are all for other machines."""


class Tier(IntEnum):
    """How good a build is for the machine; a smaller one is preferred."""

    GPU = 0
    GPU_UNDECIDED = 1
    CPU = 2
    UNFIT = 3

    @property
    def is_gpu(self) -> bool:
        """Whether a build of this tier is expected to use the machine's GPU."""
        return self <= Tier.GPU_UNDECIDED


@dataclass(frozen=True, slots=True)
class Stated:
    """What a wheel says itself: the label of its CUDA, ``cpu`` for none, and its device code.

    ``trouble`` says why that is not known.
    """

    label: str = ""
    archs: tuple[SmArch, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """The release of torch that a companion requires: exactly this one, or this one and newer.

    "" where that is not known.
    """

    torch: str = ""
    is_exact: bool = False


# The public version, and the label of the folder; "" for the main index's own wheel.
StatedKey: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python that is installed for: its wheel tags, best first, and its version "3.11.7"."""

    tags: tuple[Tag, ...]
    version: str

    @property
    def places(self) -> Mapping[Tag, int]:
        """The tags with their places, 0 is best."""
        return {tag: place for place, tag in reversed(list(enumerate(self.tags)))}


@dataclass(frozen=True, slots=True)
class Source:
    """The files of one project: of its page, and of the per-CUDA indexes by label.

    ``metadata`` is the variant metadata by public version; ``troubles`` says why that of a version
    cannot be used. ``stated`` is what builds say of themselves that the table does not know, for
    the platform that is installed for. ``torch_labels`` are, of a companion of torch, the releases
    of torch that an installer may take, the likely one first, with their labels; ``stated`` is then
    of torch, too, and ``torch_releases`` are all of torch, newest first. ``pairs`` are what its
    versions require that the table does not know. ``status`` is what the main index says of the
    whole project.
    """

    project: str
    files: tuple[PageFile, ...]
    cuda_files: Mapping[str, tuple[PageFile, ...]] = field(default_factory=dict)
    metadata: Mapping[Version, VariantMetadata] = field(default_factory=dict)
    troubles: Mapping[Version, str] = field(default_factory=dict)
    is_cuda_project: bool = False
    stated: Mapping[StatedKey, Stated] = field(default_factory=dict)
    torch_labels: Mapping[str, str] = field(default_factory=dict)
    pairs: Mapping[str, Pair] = field(default_factory=dict)
    torch_releases: tuple[str, ...] = ()
    status: ProjectStatus | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom a view is for, and what that person asked for.

    ``interpreter`` is ``None`` where the target's Python is not known. ``any_version`` also shows
    the versions whose best wheel is a CPU build. ``asked`` are the versions that are asked for, by
    project: ``==2.11.0``. ``installed_torch`` is the version that is installed and stays, in
    ``folder``. ``architectures`` are the CPUs of such machines where the view is for no others:
    of the Linux wheels those for other CPUs are left out.
    """

    machine: Machine
    interpreter: Interpreter | None = None
    any_version: bool = False
    prereleases: bool = False
    asked: Mapping[str, str] = field(default_factory=dict)
    installed_torch: str = ""
    folder: str = ""
    architectures: tuple[str, ...] = ()

    def versions_of(self, project: str) -> str:
        """Return the versions that are asked for of a project; "" for any."""
        return self.asked.get(project, "")

    @property
    def has_gpu(self) -> bool:
        """Whether the machine has a GPU that a build can use."""
        return self.machine.cuda is not None and bool(self.machine.gpus)


@dataclass(frozen=True, slots=True)
class Build:
    """One label of a version on one platform: how good it is there, and why.

    ``label`` is "" for a wheel without one. ``is_assumed`` marks device code that was concluded
    from neighbouring releases, ``is_partial`` a build that some of the machine's GPUs cannot use.
    """

    label: str
    tier: Tier
    reason: str
    is_assumed: bool = False
    is_partial: bool = False

    @property
    def is_for_cpu(self) -> bool:
        """Whether the build needs no GPU."""
        return self.tier is Tier.CPU

    @property
    def is_for_gpus(self) -> bool:
        """Whether the label is that of a build for GPUs, which may be other GPUs."""
        return self.label not in {"", "cpu", "null"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A file of a view: what the page calls it, the file of the index, and the build it is.

    ``wheel`` is ``None`` for a source distribution. ``bake_for`` is the label for which markers in
    METADATA have to be answered, "" for none.
    """

    name: str
    file: PageFile
    wheel: WheelName | None = None
    build: Build | None = None
    bake_for: str = ""


@dataclass(frozen=True, slots=True)
class VersionView:
    """One public version: what is shown of it, what is not, and why.

    ``best`` is the best build that can be installed there, ``None`` if there is none, and
    ``is_yanked`` says that its wheel is. ``hidden`` is the reason why the whole version is not
    shown, "" if it is. ``asked_label`` is the build that is asked for by name, ``cu128`` in
    ``==2.11.0+cu128``: it is shown, whatever fits better.
    """

    version: Version
    shown: tuple[Shown, ...]
    builds: tuple[Build, ...]
    best: Build | None
    hidden: str = ""
    is_yanked: bool = False
    asked_label: str = ""

    @property
    def gpu_build(self) -> Build | None:
        """The first build for GPUs, whether or not it fits; ``None`` if there is none."""
        return next((build for build in self.builds if build.is_for_gpus), None)


@dataclass(frozen=True, slots=True)
class View:
    """The page of one project for one machine, newest version first.

    ``asked`` are the versions that are asked for: ``==2.11.0``, "" for any.
    """

    project: str
    versions: tuple[VersionView, ...]
    warnings: tuple[str, ...] = ()
    asked: str = ""

    @property
    def offered(self) -> tuple[VersionView, ...]:
        """The versions of which a wheel is shown, asked for or not."""
        return tuple(version for version in self.versions if not version.hidden and version.best)

    @property
    def newest_shown(self) -> VersionView | None:
        """The newest version that is asked for and of which a wheel is shown."""
        wanted = (version for version in self.offered if matches(version.version, self.asked))
        return next(wanted, None)

    @property
    def ends_at_cpu(self) -> VersionView | None:
        """The newest version shown, if the best build of it is none for the machine's GPU."""
        newest = self.newest_shown
        is_lost = newest is not None and newest.best is not None and not newest.best.tier.is_gpu
        return newest if is_lost else None

    @property
    def files(self) -> tuple[Shown, ...]:
        """Everything that is shown."""
        return tuple(
            shown for version in self.versions if not version.hidden for shown in version.shown
        )

    @property
    def hidden(self) -> tuple[VersionView, ...]:
        """The versions that are not shown."""
        return tuple(version for version in self.versions if version.hidden)
