"""Run fuzz targets: ``python -m tests.fuzz.run --target files --seconds 60 [--seed N]``.

A target is a group, ``detection`` or ``files``, or the name of one: ``wheel``. Each case has a seed
of its own, printed when it fails: ``--seed N --cases 1`` repeats it.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from random import Random
from typing import TYPE_CHECKING, Final

from tests.fuzz import file_targets
from tests.fuzz.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GROUPS: Final = {"detection": TARGETS, "files": file_targets.TARGETS}
CHOICES: Final = [target for target, share in TARGETS for _ in range(share)]


def run_case(seed: int, targets: Sequence[Callable[[Random], None]] = CHOICES) -> str:
    """Run one case and return the name of its target; what is wrong is raised with the seed."""
    random = Random(seed)  # noqa: S311 - chance that can be repeated
    target = random.choice(targets)
    try:
        target(random)
    except Exception as error:
        error.args = (f"fuzz case --seed {seed} ({target.__name__}): {error}",)
        raise
    return target.__name__


def targets_of(name: str) -> list[Callable[[Random], None]]:
    """Return the targets of a group, each as often as it is to be chosen, or one target."""
    if name in GROUPS:
        return [target for target, share in GROUPS[name] for _ in range(share)]
    return [_named()[name]]


def _named() -> dict[str, Callable[[Random], None]]:
    every = [target for group in GROUPS.values() for target, _ in group]
    return {target.__name__.removeprefix("fuzz_"): target for target in every}


def main() -> int:
    """Run the cases and print how many there were of each target."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this time")
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first case")
    parser.add_argument(
        "--target", "--only", default="detection", choices=sorted({*GROUPS, *_named()}),
        metavar="NAME", help=f"{', '.join(GROUPS)}, or one of {', '.join(sorted(_named()))}",
    )  # fmt: skip
    said = parser.parse_args()
    targets = targets_of(said.target)
    warnings.simplefilter("error")
    counts: dict[str, int] = {}
    started = time.monotonic()
    for seed in range(said.seed, said.seed + said.cases):
        name = run_case(seed, targets)
        counts[name] = counts.get(name, 0) + 1
        if time.monotonic() - started > said.seconds:
            break
    seconds = time.monotonic() - started
    for name, count in sorted(counts.items()):
        print(f"{count:8} {name}")  # noqa: T201
    print(f"{sum(counts.values()):8} cases in {seconds:.0f} s, none broke a promise")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
