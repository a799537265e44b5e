"""Run the fuzz targets: ``python -m tests.fuzz.run --cases 100000 [--seed N] [--only NAME]``.

Each case has a seed of its own, printed when it fails: ``--seed N --cases 1`` repeats it.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from random import Random
from typing import TYPE_CHECKING, Final

from tests.fuzz.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


def main() -> int:
    """Run the cases and print how many there were of each target."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first case")
    parser.add_argument("--only", default="", help="the name of one target")
    said = parser.parse_args()
    targets = [it for it in CHOICES if said.only in {"", it.__name__}]
    warnings.simplefilter("error")
    counts: dict[str, int] = {}
    started = time.monotonic()
    for seed in range(said.seed, said.seed + said.cases):
        name = run_case(seed, targets)
        counts[name] = counts.get(name, 0) + 1
    seconds = time.monotonic() - started
    for name, count in sorted(counts.items()):
        print(f"{count:8} {name}")  # noqa: T201
    print(f"{sum(counts.values()):8} cases in {seconds:.0f} s, none broke a promise")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
