"""The machines that ``explain`` is asked about, and what is known of the one it runs on."""

from __future__ import annotations

import argparse
import os
import shutil
from typing import TYPE_CHECKING

from nvidia_variant_provider import overrides

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.explain.results import Explanation
    from nvidia_variant_provider.tools.releases.release import Release


def machines_of(args: argparse.Namespace) -> list[tuple[str, argparse.Namespace]]:
    """Return each machine that is asked about: its name, and arguments that mean it alone."""

    def alone(target: str | None = None, machine: str | None = None) -> argparse.Namespace:
        return argparse.Namespace(target=target, machine=machine, gpu=args.gpu, rules=None)

    named = [(target, alone(target=target)) for target in args.target or ()]
    named += [(file, alone(machine=file)) for file in args.machine or ()]
    return named or [("this machine", alone())]


def barred_wheels(release: Release, args: argparse.Namespace) -> dict[str, str]:
    """Return the wheels that exclude the interpreter; what is installed has been judged."""
    from nvidia_variant_provider.tools.explain.here import barred_by_python, this_python

    if args.installed is not None:
        return {}
    return barred_by_python(release, args.python_version or this_python())


def explain_on(
    release: Release,
    named: argparse.Namespace,
    machine: Machine,
    enabled: list[str],
    pythons: dict[str, str],
) -> Explanation:
    """Explain a release on one machine; uv and glibc are asked about only on the machine here."""
    from nvidia_variant_provider.tools.explain.here import Barred, barred_by_glibc, this_glibc
    from nvidia_variant_provider.tools.explain.views import explain

    is_here = named.target is None and named.machine is None
    forced = os.environ.get(overrides.FORCE_CUDA) and os.environ.get(overrides.FORCE_SM_ARCH)
    blind = is_here and not forced and shutil.which("nvidia-smi") is None
    described = any(os.environ.get(variable) for variable in (overrides.TARGET, overrides.MACHINE))
    glibc = this_glibc() if is_here and not described else None
    barred = Barred(pythons, barred_by_glibc(release, glibc, machine.platform))
    return explain(release, machine, uv_blind=blind, enabled=enabled, barred=barred)
