"""How fast a survey goes through many wheels: jobs here, a Dask cluster here, a process each.

All contenders read the same wheels, in turn, in one run; the best round of each counts. Look at
the ratios: wheels per second say something about this machine only. Wheels are made unless some
are named; ``--megabytes 0`` makes them tiny, so that what a wheel costs besides reading shows.

    python -m benchmarks.survey [WHEEL...] [--count 200] [--megabytes 4] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from nvidia_variant_provider.tools.survey.engines import examine_here, examine_with_dask
from nvidia_variant_provider.tools.survey.task import Task, examine
from nvidia_variant_provider.tools.survey.wheels import Wheel
from tests.tools.binaries import packing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

INSPECT = Task("inspect")
# Half a second a wheel goes into starting: a few are enough, the time of all is worked out.
A_PROCESS_EACH = "a process each"
FEW = 10


def make_wheels(folder: Path, count: int, megabytes: int) -> list[Path]:
    """Write wheels with a library each, of which a half is containers, packed to about a half."""
    source = random.Random(5)  # noqa: S311 - repeatable, not secret
    half = zlib.compress(source.randbytes(megabytes << 18)) + bytes(megabytes << 18)
    entry = packing.real(80)
    entry.payload += half
    library = packing.shared_object(packing.container(entry, packing.virtual(80)) + half)
    data = packing.wheel({"demo/_c.so": library}, requires=("nvidia-cuda-runtime-cu12",))
    paths = [folder / f"demo{index}-1.0-py3-none-any.whl" for index in range(count)]
    for path in paths:
        path.write_bytes(data)
    return paths


def a_process_each(wheels: Iterable[Wheel]) -> None:
    """Do what a shell loop over ``inspect --json`` does."""
    for wheel in wheels:
        command = [sys.executable, "-m", "nvidia_variant_provider", "inspect", "--json", wheel.path]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def drained(lines: Iterable[str], count: int) -> None:
    """Take all lines; each must be there, and say that its wheel was read."""
    done = sum('"outcome":"done"' in line for line in lines)
    if done != count:
        raise SystemExit(f"{done} of {count} wheels were read")


def measure(wheels: list[Wheel], rounds: int) -> dict[str, float]:
    """Return the seconds of the best round of each contender."""
    from distributed import Client, LocalCluster

    count = len(wheels)
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        contenders: dict[str, Callable[[], None]] = {
            "in this process": lambda: drained((examine(INSPECT, it) for it in wheels), count),
            "1 job": lambda: drained(examine_here(INSPECT, wheels, 1), count),
            "2 jobs": lambda: drained(examine_here(INSPECT, wheels, 2), count),
            "Dask, 2 workers": lambda: drained(examine_with_dask(client, INSPECT, wheels), count),
            A_PROCESS_EACH: lambda: a_process_each(wheels[:FEW]),
        }
        best = dict.fromkeys(contenders, float("inf"))
        for _ in range(rounds):
            for name, action in contenders.items():
                start = time.perf_counter()
                action()
                best[name] = min(best[name], time.perf_counter() - start)
    best[A_PROCESS_EACH] *= count / len(wheels[:FEW])
    return best


def main() -> int:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("wheels", nargs="*")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--megabytes", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        named = [Path(one) for one in args.wheels]
        paths = named or make_wheels(Path(folder), args.count, args.megabytes)
        wheels = [Wheel.of(str(path)) for path in paths]
        best = measure(wheels, args.rounds)
    size = sum(wheel.size or 0 for wheel in wheels)
    print(f"{len(wheels)} wheels, {size / 1e6:.0f} MB, {os.cpu_count()} processors")
    for name, seconds in best.items():
        print(f"  {name:18} {seconds:7.2f} s  {len(wheels) / seconds:7.1f} wheels/s")
    print(f"  1 job / in this process      {best['1 job'] / best['in this process']:.2f}")
    print(f"  1 job / 2 jobs               {best['1 job'] / best['2 jobs']:.2f}")
    print(f"  Dask, 2 workers / 2 jobs     {best['Dask, 2 workers'] / best['2 jobs']:.2f}")
    print(f"  a process each / 1 job       {best[A_PROCESS_EACH] / best['1 job']:.2f}")
    mine = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory: this process {mine:.0f} MB, the largest child {largest:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
