"""What ``run`` says of a torch that was installed before the command, and stays as it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nvidia_variant_provider.tables.torch_domains import PROJECTS
from nvidia_variant_provider.tools.cli.run_again import run_again
from nvidia_variant_provider.tools.installers.asked_for import asked_of
from nvidia_variant_provider.tools.installers.commands import words_of
from nvidia_variant_provider.tools.installers.installed import installed_version
from nvidia_variant_provider.tools.torch.builds import TORCH
from nvidia_variant_provider.tools.views.cuda_builds import default_label, is_label, judge_label
from nvidia_variant_provider.tools.views.selecting import class_of_target
from nvidia_variant_provider.tools.wheels.dist_info import VARIANT_JSON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvidia_variant_provider.tools.installers.asked_for import Asked
    from nvidia_variant_provider.tools.views.model import Build, Wanted
    from nvidia_variant_provider.tools.views.service import ViewService


def installed_build(service: ViewService, command: Sequence[str]) -> tuple[str, str]:
    """Say that the torch which was there and stays is no build for the GPU, and what replaces it.

    Both are "" where it is one, where none was there, and where the command is not about torch.
    """
    wanted = service.wanted()
    asked = asked_of(command, os.environ, os.getcwd())
    is_about_torch = TORCH in {*asked.named, *asked.listed, *service.log.views}
    version = wanted.installed_torch
    if not (wanted.has_gpu and is_about_torch and version):
        return "", ""
    build = _build_of(version, wanted)
    if build is None or build.tier.is_gpu or installed_version(wanted.folder, TORCH) != version:
        return "", ""
    warning = (
        f"torch {version} was installed before and stays, and is no build for this GPU: "
        f"{build.reason}"
    )
    return warning, f"to replace it: {_again(command, asked, wanted.folder)}"


def _again(command: Sequence[str], asked: Asked, folder: str) -> str:
    """Return the command that installs anew, torch and what is there beside it."""
    at = command.index("install") + 1
    option = "--reinstall" if words_of(command)[0] == "uv" else "--force-reinstall"
    there = [project for project in (TORCH, *PROJECTS) if installed_version(folder, project)]
    more = [project for project in there if project not in {*asked.named, *asked.listed}]
    return run_again([*command[:at], option, *command[at:], *more])


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
