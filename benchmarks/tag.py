"""How long ``tag`` takes, beside ``cp`` and ``variantlib make-variant`` on the same wheel.

``python benchmarks/tag.py`` makes a wheel of 500 MB with device code, runs them in turn and prints
the shortest runs, wall clock and processor time, and ratios. ``tag --archs`` is told what to state
and copies; ``tag --from-code`` inflates the wheel and reads its device code first, which
``inspect`` alone does as well. Only ``tag`` and "cp, sync" wait for the disk.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PROJECT: Final = Path(__file__).resolve().parents[1]
if str(PROJECT) not in sys.path:
    sys.path.insert(0, str(PROJECT))

# After the path is set.
from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel  # noqa: E402
from nvidia_variant_provider.tools.wheels.record import RecordFile  # noqa: E402
from nvidia_variant_provider.tools.wheels.writer import rewrite  # noqa: E402
from tests.tools.binaries import packing  # noqa: E402

NAME: Final = "demo-1.0-py3-none-any.whl"
DIST_INFO: Final = "demo-1.0.dist-info"
MEMBERS: Final = 8
CUBIN: Final = 1 << 20
PROPERTY: Final = ("nvidia::sm_arch::90_real", "nvidia::cuda_version_lower_bound::12.0")
SMALL: Final = {
    "METADATA": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
    "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}
PYPROJECT: Final = """\
[variant.default-priorities]
namespace = ["nvidia"]
[variant.providers.nvidia]
requires = ["nvidia-variant-provider>=0.0.1,<1.0.0"]
plugin-api = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"
"""
VARIANTLIB: Final = "variantlib make-variant"
CP_SYNC: Final = "cp, sync"
AIM_CP: Final = 1.5
AIM_RECOMPRESS: Final = 20


@dataclass
class Runs:
    """The runs of one contender: seconds on the clock, and of the processors."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def make_wheel(folder: Path, megabytes: int) -> Path:
    """Write a wheel of about this size; deflate shrinks its noise by a quarter or so."""
    noise = random.Random(1)  # noqa: S311 - noise that is the same every time
    record = RecordFile(f"{DIST_INFO}/RECORD", ())
    path = folder / NAME
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(MEMBERS):
            data = make_library(noise, megabytes * (1 << 20) // MEMBERS * 4 // 3)
            archive.writestr(f"demo/lib{number}.so", data)
            record = record.amend({f"demo/lib{number}.so": data}, ())
        for name, text in SMALL.items():
            archive.writestr(f"{DIST_INFO}/{name}", text)
            record = record.amend({f"{DIST_INFO}/{name}": text.encode()}, ())
        archive.writestr(record.path, record.to_bytes())
    return path


def make_library(noise: random.Random, size: int) -> bytes:
    """Pack a shared object of containers for two architectures, filled up with noise."""
    table = bytes(value & 0x3F for value in range(256))
    containers = []
    for _ in range(max(size // (2 * CUBIN), 1)):
        entries = [packing.real(number) for number in (80, 90)]
        for entry in entries:
            entry.payload += noise.randbytes(CUBIN).translate(table)
        containers.append(packing.container(*entries))
    return packing.shared_object(b"".join(containers), needed=("libcudart.so.12",))


def copy_to_disk(wheel: Path, target: Path) -> None:
    """Copy as ``cp`` does and wait for the disk, as ``tag`` does."""
    run("cp", str(wheel), str(target))
    run("sync", str(target))


def copy_alone(wheel: Path, target: Path) -> None:
    """Write the wheel anew within this process."""
    with OpenWheel(wheel) as opened:
        added = {opened.variant_path: b"{}\n"}
        rewrite(opened, target, added, check=False)


def run(*command: str) -> None:
    """Run a command to its end; its failure ends the benchmark."""
    subprocess.run(command, check=True, capture_output=True)


def tool(name: str) -> str:
    """Return a program beside the interpreter."""
    return str(Path(sys.executable).with_name(name))


def contenders(wheel: Path, out: Path) -> dict[str, Callable[[], None]]:
    """Return what is measured, each writing into an empty folder."""
    pyproject = wheel.with_name("pyproject.toml")
    pyproject.write_text(PYPROJECT)
    ours = tool("nvidia-variant-provider")
    tag = [ours, "tag", str(wheel), "-o", str(out), "--label", "demo"]
    archs = ("--archs", "8.0;9.0", "--lower-bound", "12.0")
    theirs = [
        *(tool("variantlib"), "make-variant", "-f", str(wheel), "-o", str(out)),
        *("--skip-plugin-validation", "--pyproject-toml", str(pyproject)),
        *("--variant-label", "demo", "-p", *PROPERTY),
    ]
    return {
        "cp": lambda: run("cp", str(wheel), str(out / "copy.whl")),
        CP_SYNC: lambda: copy_to_disk(wheel, out / "copy.whl"),
        "copying alone": lambda: copy_alone(wheel, out / NAME),
        "tag --archs --no-check": lambda: run(*tag, *archs, "--no-check"),
        "tag --archs": lambda: run(*tag, *archs),
        "inspect alone": lambda: run(ours, "inspect", str(wheel)),
        "tag --from-code": lambda: run(*tag, "--from-code"),
        VARIANTLIB: lambda: run(*theirs),
    }


def measure(action: Callable[[], None], out: Path, runs: Runs) -> None:
    """Add one run, begun with an empty folder and a quiet disk."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    os.sync()
    spent, start = sum(os.times()[:4]), time.perf_counter()
    action()
    runs.wall.append(time.perf_counter() - start)
    runs.cpu.append(sum(os.times()[:4]) - spent)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 when an aim was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=7, help="runs of all but variantlib")
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(dir=args.folder) as scratch:
        wheel = make_wheel(Path(scratch), args.megabytes)
        out = Path(scratch, "out")
        actions = contenders(wheel, out)
        print(f"wheel: {wheel.stat().st_size / 1e6:.0f} MB; load {os.getloadavg()[0]:.1f}")
        times = {name: Runs() for name in actions}
        for turn in range(args.rounds):
            for name, action in actions.items():
                if turn == 0 or name != VARIANTLIB:
                    measure(action, out, times[name])
    return report(times)


def report(times: dict[str, Runs]) -> int:
    """Print the shortest runs and what they are in units of ``cp``; 1 when an aim was missed."""
    # What other programs take can only be added to a run, so the shortest is the least disturbed.
    wall = {name: min(runs.wall) for name, runs in times.items()}
    cpu = {name: min(runs.cpu) for name, runs in times.items()}
    for name, runs in times.items():
        print(
            f"{name:24} {wall[name]:7.2f} s, {wall[name] / wall['cp']:6.2f} x cp;"
            f" processor {cpu[name]:7.2f} s, {cpu[name] / cpu['cp']:6.2f} x cp"
            f"  (slowest {max(runs.wall):.2f} s of {len(runs.wall)})"
        )
    copying = wall["tag --archs --no-check"] / wall[CP_SYNC]
    recompressing = wall[VARIANTLIB] / wall["tag --archs --no-check"]
    inferring = wall[VARIANTLIB] / wall["tag --from-code"]
    print(f"tag --archs --no-check / cp, sync: {copying:.2f} (aim: at most {AIM_CP})")
    print(
        f"variantlib / tag --archs --no-check: {recompressing:.1f} (aim: at least {AIM_RECOMPRESS})"
    )
    print(f"variantlib / tag --from-code: {inferring:.1f}")
    return int(copying > AIM_CP or recompressing < AIM_RECOMPRESS)


if __name__ == "__main__":
    sys.exit(main())
