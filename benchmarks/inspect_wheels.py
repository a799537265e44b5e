"""How fast ``inspect`` reads wheels, against inflating alone and against unzip plus cuobjdump.

All contenders run in turn, several rounds in one go, and the best round of each counts: separate
runs on a shared machine differ by half. Ratios are what to look at: of processor time, child
processes included, which a busy machine disturbs least, and where several processes or threads take
part of elapsed time too. All use Python's own zlib but where zlib-ng is named.

    python -m benchmarks.inspect_wheels WHEEL... [--rounds 3] [--cuobjdump PATH]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from typing import TYPE_CHECKING

from zlib_ng import zlib_ng

from nvidia_variant_provider.tools.binaries import elf, pe, wheel
from nvidia_variant_provider.tools.binaries.standalone import form_of
from nvidia_variant_provider.tools.wheels import inflate as inflate_module
from nvidia_variant_provider.tools.wheels.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from nvidia_variant_provider.tools.wheels.zip_records import Entry

SCANNED = {"elf", "pe", "archive", "fatbin", "data"}


def scanned_members(path: str) -> list[Entry]:
    """Return the members that the scan reads to their end."""
    with Archive(path) as archive:
        wanted, _ = wheel.choose(archive.entries)
        heads = ((member, archive.open(member).read_at(0, 4096)) for member in wanted)
        return [member for member, head in heads if form_of(head) in SCANNED]


def inflate(path: str, members: list[Entry]) -> int:
    """Inflate the members as the scan does, and do nothing with the bytes."""
    with Archive(path) as archive:
        return sum(len(chunk) for member in members for chunk in archive.open(member).chunks())


def scan(path: str, jobs: int) -> int:
    """Read the wheel; returns the bytes that lie in containers."""
    with Archive(path) as archive:
        contents = wheel.read_wheel(archive, jobs)
    return sum(tally.stored for library in contents.libraries for tally in library.images)


def unzip_and_list(path: str, cuobjdump: str) -> None:
    """Extract the wheel, and list each library as packagers do today."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["unzip", "-q", path, "-d", folder], check=True)
        for root, _, names in os.walk(folder):
            for name in names:
                file = os.path.join(root, name)
                with open(file, "rb") as opened:
                    head = opened.read(64)
                if elf.machine_of(head) is not None or head.startswith(pe.MAGIC):
                    # It exits with 255 for a library without device code, and for any DLL.
                    subprocess.run([cuobjdump, "-all", file], capture_output=True, check=False)


def with_library(library: ModuleType, action: Callable[[], object]) -> None:
    """Inflate with another library meanwhile."""
    usual, inflate_module.library = inflate_module.library, library
    try:
        action()
    finally:
        inflate_module.library = usual


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that an action takes: elapsed, and of processor time with its children."""
    start, used = time.perf_counter(), processor_time()
    action()
    return time.perf_counter() - start, processor_time() - used


def processor_time() -> float:
    """Return the processor time of this process and of those of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def measure(path: str, rounds: int, cuobjdump: str | None) -> None:
    """Measure one wheel and print its figures."""
    members = scanned_members(path)
    contenders: dict[str, Callable[[], object]] = {
        "inflate": lambda: inflate(path, members),
        "scan": lambda: scan(path, 1),
        "scan, 2 jobs": lambda: scan(path, 2),
        "scan, zlib-ng": lambda: with_library(zlib_ng, lambda: scan(path, 1)),
    }
    if cuobjdump:
        contenders["unzip + cuobjdump"] = lambda: unzip_and_list(path, cuobjdump)
    best = dict.fromkeys(contenders, float("inf"))
    used = dict(best)
    for _ in range(rounds):
        for name, action in contenders.items():
            elapsed, processor = timed(action)
            best[name] = min(best[name], elapsed)
            used[name] = min(used[name], processor)
    size = sum(member.size for member in members)
    share = scan(path, 1) / max(size, 1)
    print(f"{os.path.basename(path)}: {size / 1e6:.0f} MB inflated, {share:.0%} in containers")
    for name, seconds in best.items():
        print(f"  {name:18} {seconds:7.2f} s")
    print(f"  scan / inflate               {used['scan'] / used['inflate']:.2f}")
    print(f"  scan / scan with zlib-ng     {used['scan'] / used['scan, zlib-ng']:.2f}")
    print(f"  scan / scan with 2 jobs      {best['scan'] / best['scan, 2 jobs']:.2f} elapsed")
    if cuobjdump:
        for name, times in (("processor", used), ("elapsed", best)):
            ratio = times["unzip + cuobjdump"] / times["scan"]
            print(f"  unzip + cuobjdump / scan     {ratio:.2f} {name}")


def main() -> int:
    """Measure every wheel named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("wheels", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cuobjdump", default=shutil.which("cuobjdump"))
    args = parser.parse_args()
    inflate_module.library = zlib
    for path in args.wheels:
        measure(path, args.rounds, args.cuobjdump)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process: {peak:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
