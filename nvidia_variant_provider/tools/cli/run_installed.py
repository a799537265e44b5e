"""What ``run`` says of a torch that no view decided: it was installed before, or is locked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nvidia_variant_provider.tables.torch_domains import PROJECTS
from nvidia_variant_provider.tools.cli.run_locks import is_younger
from nvidia_variant_provider.tools.installers.asked_for import asked_of
from nvidia_variant_provider.tools.installers.commands import lock_of, words_of
from nvidia_variant_provider.tools.installers.installed import installed_version
from nvidia_variant_provider.tools.torch.builds import TORCH
from nvidia_variant_provider.tools.views.cuda_builds import default_label, is_label, judge_label
from nvidia_variant_provider.tools.views.selecting import class_of_target
from nvidia_variant_provider.tools.wheels.dist_info import VARIANT_JSON

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.cli.run_failures import Ran
    from nvidia_variant_provider.tools.installers.asked_for import Asked
    from nvidia_variant_provider.tools.views.model import Build, Wanted
    from nvidia_variant_provider.tools.views.service import ViewService


def installed_build(service: ViewService, ran: Ran) -> tuple[str, str]:
    """Say that a torch is installed which is no build for the GPU, and what replaces it.

    It was there before and stays, or it came past the view: as a wheel by its address, for
    instance. Both are "" where it is a build for the GPU, where the view has decided, and where the
    command is not about torch.
    """
    wanted = service.wanted()
    asked = asked_of(ran.command, os.environ, os.getcwd())
    is_about_torch = TORCH in {*asked.named, *asked.listed, *service.log.views}
    version = installed_version(wanted.folder, TORCH)
    stays = version == wanted.installed_torch and not _is_new(wanted.folder, version, ran.since)
    has_decided = TORCH in service.log.views and not stays
    if has_decided or not (wanted.has_gpu and is_about_torch and version):
        return "", ""
    build = _build_of(version, wanted)
    if build is None or build.tier.is_gpu:
        return "", ""
    how = "was installed before and stays" if stays else "was installed past the view"
    warning = f"torch {version} {how}, and is no build for this GPU: {build.reason}"
    if not stays:
        return warning, f"ask for torch=={version.partition('+')[0]} by its name: the view chooses"
    return warning, f"to replace it: {_again(ran, asked, wanted.folder)}"


def _is_new(folder: str, version: str, since: float) -> bool:
    """Tell whether a torch is there since a moment: a quick installer is done before we look."""
    try:
        return is_younger(os.path.join(folder, f"{TORCH}-{version}.dist-info"), since)
    except OSError:
        return False


def locked_build(service: ViewService, ran: Ran) -> tuple[str, str]:
    """Say that the torch of a lock file is no build for the GPU, and what to do.

    Both are "" where it is one or that is not known, and where a view was asked for torch: what it
    shows is said there.
    """
    lock = lock_of(ran.command, os.getcwd())
    if not lock or TORCH in service.log.views:
        return "", ""
    wanted = service.wanted()
    pins = asked_of(ran.command, os.environ, os.getcwd()).of(TORCH).split(",")
    builds = {
        pin: _build_of(pin.removeprefix("=="), wanted) for pin in pins if pin.startswith("==")
    }
    if not builds or any(build is None or build.tier.is_gpu for build in builds.values()):
        return "", ""
    reasons = ", ".join(f"{pin}: {build.reason}" for pin, build in builds.items() if build)
    warning = (
        f"{os.path.basename(lock)} decides, and its torch is no build for this GPU: torch{reasons}"
    )
    return warning, "lock anew through a view for this machine: docs/how-to/lock.md"


def _again(ran: Ran, asked: Asked, folder: str) -> str:
    """Return the command that installs anew, torch and what is there beside it."""
    command = ran.command
    at = command.index("install") + 1
    option = "--reinstall" if words_of(command)[0] == "uv" else "--force-reinstall"
    there = [project for project in (TORCH, *PROJECTS) if installed_version(folder, project)]
    more = [project for project in there if project not in {*asked.named, *asked.listed}]
    return ran.again((*command[:at], option, *command[at:], *more))


def _build_of(version: str, wanted: Wanted) -> Build | None:
    """Judge an installed torch by its version; ``None`` where that does not tell which build."""
    public, _, local = version.partition("+")
    platform = class_of_target(wanted)
    label, is_assumed = (local, False) if local else default_label(public, platform)
    is_variant = os.path.exists(
        os.path.join(wanted.folder, f"{TORCH}-{version}.dist-info", VARIANT_JSON)
    )
    if is_variant or is_assumed or not is_label(label):
        return None
    build = judge_label(label, public, platform, wanted.machine).build
    return None if build.is_assumed else build
