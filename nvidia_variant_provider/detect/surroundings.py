"""Where this process runs: in a container, a unit of systemd, a job; and on which distribution.

Read only where no GPU answers: a container shows the GPUs of its whole host in sysfs, and what to
do about a cause depends on the place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect.files import raise_foreign
from nvidia_variant_provider.detect.gate import WSL_DEVICE, WSL_LIBCUDA, read_word
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.detect.files import FileView
    from nvidia_variant_provider.detect.host import Host

CGROUP: Final = "/proc/self/cgroup"
OS_RELEASE: Final = "/etc/os-release"
# Written by systemd and by most runtimes into the environment or the file system of a container.
CONTAINER_FILE: Final = "/run/systemd/container"
_MARKS: Final = (
    ("/run/.containerenv", "podman"),
    ("/.dockerenv", "docker"),
    ("/.flatpak-info", "flatpak"),
)
_VARIABLES: Final = (
    ("KUBERNETES_SERVICE_HOST", "kubernetes"),
    ("APPTAINER_CONTAINER", "apptainer"),
    ("SINGULARITY_CONTAINER", "apptainer"),
)
# What only says that this is a container: images for GPUs set it.
_ANY_CONTAINER: Final = "NVIDIA_VISIBLE_DEVICES"
_CGROUPS: Final = (
    ("kubepods", "kubernetes"),
    ("libpod", "podman"),
    ("docker", "docker"),
    ("containerd", "container"),
    ("lxc", "lxc"),
)
_KINDS: Final = {"lxc": "lxc", "podman": "podman", "docker": "docker", "oci": "container"}
_UNIT: Final = r"/system\.slice/(?:.*/)?([^/\s]+\.service)\s*$"
SLURM_JOB: Final = "SLURM_JOB_ID"
# What a record keeps of the environment for this page: that they are set, or also their text.
PRESENCE: Final = (*(name for name, _ in _VARIABLES), SLURM_JOB)
TEXTS: Final = ("container", _ANY_CONTAINER)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a process runs.

    ``container`` is "docker", "podman", "kubernetes", "apptainer", "lxc", "flatpak", "container"
    for another kind, or empty; ``unit`` the service of systemd; ``distribution`` the ``ID`` of
    ``os-release`` and those it is like: ``("ubuntu", "debian")``.
    """

    container: str = ""
    unit: str = ""
    slurm_job: bool = False
    wsl: bool = False
    distribution: tuple[str, ...] = ()

    @property
    def contained(self) -> bool:
        """Whether this process may have fewer devices than its machine."""
        return bool(self.container or self.unit)


ANYWHERE: Final = Surroundings()


def read_surroundings(host: Host, *, for_a_person: bool = False) -> Surroundings:
    """Look at the environment and a few files; nothing is started.

    The distribution matters to an advice alone, so that it is read only ``for_a_person``.
    """
    cgroup = _read(host.files, CGROUP)
    unit = re.search(_UNIT, cgroup, re.MULTILINE)
    container = _container(host.environ, host.files, cgroup)
    return Surroundings(
        container=container,
        unit=unit[1] if unit and not container else "",
        slurm_job=bool(host.environ.get(SLURM_JOB)),
        wsl=host.files.exists(WSL_DEVICE) or host.files.size(WSL_LIBCUDA) > 0,
        distribution=parse_os_release(_read(host.files, OS_RELEASE)) if for_a_person else (),
    )


def _container(environ: Mapping[str, str], files: FileView, cgroup: str) -> str:
    for name, kind in _VARIABLES:
        if environ.get(name):
            return kind
    for text, kind in _CGROUPS:
        if text in cgroup:
            return kind
    for path, kind in _MARKS:
        if files.exists(path):
            return kind
    word = environ.get("container") or read_word(files, CONTAINER_FILE)
    if word:
        return _KINDS.get(word, "container")
    return "container" if _ANY_CONTAINER in environ else ""


def parse_os_release(text: str) -> tuple[str, ...]:
    """Return the identifiers of a distribution, its own first: of ``ID=ubuntu``, ``ubuntu``."""
    pairs = (line.partition("=") for line in text.splitlines())
    words = {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}
    return (*words.get("ID", "").split(), *words.get("ID_LIKE", "").split())


def _read(files: FileView, path: str) -> str:
    try:
        return files.read_text(path, 8192)
    except OSError as error:
        raise_foreign(error)
        return ""
