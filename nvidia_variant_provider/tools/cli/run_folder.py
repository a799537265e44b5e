"""What ``run`` says of a folder of per-CUDA indexes that a command names, such as ``…/whl/cu128``.

The folder is used as it is. Here its build is judged, and compared with what its neighbours have.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError, ProviderError
from nvidia_variant_provider.tables.cuda_indexes import FAMILY, TORCH_INDEX
from nvidia_variant_provider.tools.installers.asked_for import asked_of, matches
from nvidia_variant_provider.tools.releases.logins import redacted
from nvidia_variant_provider.tools.torch.answer import answer
from nvidia_variant_provider.tools.torch.backend import CPU, NO_BUILD, judge_build, platform_of
from nvidia_variant_provider.tools.torch.builds import TORCH, index_path, release_order
from nvidia_variant_provider.tools.torch.catalogue import TABLE, Catalogue
from nvidia_variant_provider.tools.views.cuda_catalogue import read_family, read_stated
from nvidia_variant_provider.tools.views.session import cache_folder
from nvidia_variant_provider.tools.views.upstream_settings import settings_for

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.cli.run_failures import Ran
    from nvidia_variant_provider.tools.installers.named_folder import NamedFolder
    from nvidia_variant_provider.tools.releases.http import Fetcher
    from nvidia_variant_provider.tools.torch.answer import TorchAnswer
    from nvidia_variant_provider.tools.torch.backend import Judgement
    from nvidia_variant_provider.tools.views.service import ViewService

_MAKERS: Final = {"roc": "AMD", "xpu": "Intel"}


@dataclass(frozen=True, slots=True)
class FolderWords:
    """What is said of a folder, and what to type instead; ``is_fit`` if that is only better."""

    text: str
    hint: str = ""
    is_fit: bool = False


def words_of_folder(folder: NamedFolder, ran: Ran, service: ViewService) -> FolderWords | None:
    """Say what is wrong with a folder, or what would be better.

    ``None`` where nothing is, and for a command that is about none of the projects there. The other
    folders of the same index are asked; where they do not answer, the table of builds says what
    they have.
    """
    asked = asked_of(ran.command, os.environ, os.getcwd())
    if not {*asked.named, *asked.listed, *service.log.views}.intersection(FAMILY):
        return None
    asked_for, machine = asked.of(TORCH), service.wanted().machine
    platform = platform_of(machine)
    if not platform:
        return None
    catalogue = _catalogue(folder, machine, platform, service.upstream.fetcher)
    best = _best(catalogue, asked_for, machine, platform)
    release = _newest_in(folder, catalogue, asked_for, platform)
    serves_all = best is not None and best.backend.serves_all
    rows = catalogue.builds(catalogue.find(release), platform) if release else ()
    own = next((row for row in rows if index_path(row.cuda) == folder.label), None)
    judged = judge_build(own, machine) if own else None
    reason = _fault(folder, release, machine, judged)
    if judged and judged.fits and not judged.serves_all and serves_all:
        reason = f"has a torch {release} for some of the GPUs: {judged.reason}"
    name = redacted(folder.address)
    instead = _instead(folder, best, ran)
    if reason:
        return FolderWords(f"{name} {reason}", instead)
    is_newer = (
        best is not None
        and not asked_for
        and release_order(best.backend.release.text) > release_order(release)
    )
    if instead and is_newer:
        return FolderWords(f"{name} ends with torch {release}", instead, is_fit=True)
    return None


def _catalogue(folder: NamedFolder, machine: Machine, platform: str, fetcher: Fetcher) -> Catalogue:
    """Return what the index around a folder has; the table's builds where it cannot be read."""
    try:
        listed = read_family(fetcher, folder.base, platform)
    except (ProviderError, OSError):
        return TABLE
    if not listed.labels:
        return TABLE
    stated = read_stated(listed, machine, platform, Path(cache_folder(os.environ)))
    archs = {key: wheel.archs for key, wheel in stated.items() if wheel.archs}
    return Catalogue(listed.labels, listed.address, stated=archs)


def _best(
    catalogue: Catalogue, asked_for: str, machine: Machine, platform: str
) -> TorchAnswer | None:
    """Return the best build of the newest version that is asked for, or of any."""
    releases = [text for text in catalogue.releases if matches(text, asked_for)]
    if not releases:
        return None
    # Without a pin an older torch counts, too, if it is the newest one that fits.
    return answer(machine, releases[-1] if asked_for else None, platform, catalogue=catalogue)


def _newest_in(folder: NamedFolder, catalogue: Catalogue, asked_for: str, platform: str) -> str:
    """Return the newest release of a folder that is asked for; "" where it has none."""
    for release in reversed(catalogue.releases):
        labels = {
            CPU,
            *(index_path(row.cuda) for row in catalogue.builds(catalogue.find(release), platform)),
        }
        if folder.label in labels and matches(release, asked_for):
            return release
    return ""


def _fault(folder: NamedFolder, release: str, machine: Machine, judged: Judgement | None) -> str:
    """Say why a folder's build is none for the machine; "" if it is, or where that is not known."""
    has_gpu = bool(machine.gpus) and machine.cuda is not None
    maker = _MAKERS.get(folder.label[:3])
    if maker:
        return f"has builds for GPUs of {maker}"
    if folder.label == CPU:
        return "has CPU builds alone, and this machine has a GPU" if has_gpu else ""
    if not has_gpu:
        return "has builds for CUDA with its libraries, and no GPU is usable here"
    if judged is not None and judged.fits is False:
        return f"has no torch {release} for this GPU: {judged.reason}"
    return ""


def _instead(folder: NamedFolder, best: TorchAnswer | None, ran: Ran) -> str:
    """Return what to type for the best build of the index; "" if that is the folder's, or none."""
    if best is None or best.path in {folder.label, NO_BUILD}:
        return ""
    what = "the CPU build" if best.path == CPU else f"{best.path}, which fits this machine"
    try:
        is_default = settings_for(folder.command, os.environ, os.getcwd()).is_default
    except InvalidValueError:
        is_default = False
    is_asked_anyway = folder.base in ran.options or (is_default and folder.base == TORCH_INDEX)
    more = () if is_asked_anyway else ("--cuda-index", folder.base)
    return f"for torch {best.backend.release.text} {what}: {ran.again(folder.command, *more)}"
