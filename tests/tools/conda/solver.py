"""A stand-in for ``conda``: solves for pytorch on a channel with rattler, which pixi is made of.

Usage: ``solver.py CHANNEL SUBDIR SPEC...``. Prints the build that was chosen. What it knows of the
machine comes from the environment, as in conda, mamba and pixi.
"""

from __future__ import annotations

import asyncio
import os
import sys

from rattler import Channel, Subdir, VirtualPackage, VirtualPackageOverrides, solve


async def main(channel: str, subdir: str, *specs: str) -> None:
    """Solve, and print the build string of pytorch."""
    seen = VirtualPackage.detect(VirtualPackageOverrides.from_env())
    chosen = await solve(
        [Channel(channel)],
        specs,
        platforms=[Subdir(subdir), Subdir("noarch")],
        virtual_packages=[package.into_generic() for package in seen],
    )
    print(next(it.build for it in chosen if it.name.normalized == "pytorch"), flush=True)  # noqa: T201 - its answer
    # rattler 0.28.0 at times crashes when the interpreter ends beside its threads.
    os._exit(0)


asyncio.run(main(*sys.argv[1:]))
