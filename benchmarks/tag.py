"""How long ``tag`` takes, beside ``cp`` and ``variantlib make-variant`` on the same wheel.

``python benchmarks/tag.py`` makes a wheel of 500 MB of deflated noise, runs them in turn and prints
medians and ratios. Nothing is synced to disk by any of them.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PROJECT: Final = Path(__file__).resolve().parents[1]
if str(PROJECT) not in sys.path:
    sys.path.insert(0, str(PROJECT))

# After the path is set.
from nvidia_variant_provider.wheels.record import WheelRecord  # noqa: E402
from nvidia_variant_provider.wheels.rewrite import rewrite  # noqa: E402

NAME: Final = "demo-1.0-py3-none-any.whl"
DIST_INFO: Final = "demo-1.0.dist-info"
MEMBERS: Final = 8
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
AIM_CP: Final = 1.5
AIM_RECOMPRESS: Final = 20


def make_wheel(folder: Path, megabytes: int) -> Path:
    """Write a wheel of about this size; deflate shrinks its noise by a quarter or so."""
    noise = random.Random(1)  # noqa: S311 - noise that is the same every time
    table = bytes(value & 0x3F for value in range(256))
    record = WheelRecord(f"{DIST_INFO}/RECORD", ())
    path = folder / NAME
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(MEMBERS):
            data = noise.randbytes(megabytes * (1 << 20) // MEMBERS * 4 // 3).translate(table)
            archive.writestr(f"demo/lib{number}.so", data)
            record = record.amend({f"demo/lib{number}.so": data}, ())
        for name, text in SMALL.items():
            archive.writestr(f"{DIST_INFO}/{name}", text)
            record = record.amend({f"{DIST_INFO}/{name}": text.encode()}, ())
        archive.writestr(record.path, record.to_bytes())
    return path


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
    ours = [tool("nvidia-variant-provider"), "tag", str(wheel), "-o", str(out)]
    stated = [word for text in PROPERTY for word in ("--property", text)]
    theirs = [
        *(tool("variantlib"), "make-variant", "-f", str(wheel), "-o", str(out)),
        *("--skip-plugin-validation", "--pyproject-toml", str(pyproject)),
        *("--variant-label", "demo", "-p", *PROPERTY),
    ]
    return {
        "cp": lambda: run("cp", str(wheel), str(out / "copy.whl")),
        "tag": lambda: run(*ours, "--label", "demo", *stated),
        "its copying alone": lambda: rewrite(
            wheel, out / "alone.whl", {f"{DIST_INFO}/variant.json": b"{}\n"}
        ),
        "variantlib make-variant": lambda: run(*theirs),
    }


def measure(action: Callable[[], None], out: Path) -> float:
    """Return the seconds of one run, begun with an empty folder and a quiet disk."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    os.sync()
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 when an aim was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5, help="runs of cp and tag")
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(dir=args.folder) as scratch:
        wheel = make_wheel(Path(scratch), args.megabytes)
        out = Path(scratch, "out")
        actions = contenders(wheel, out)
        print(f"wheel: {wheel.stat().st_size / 1e6:.0f} MB")
        times: dict[str, list[float]] = {name: [] for name in actions}
        for turn in range(args.rounds):
            for name, action in actions.items():
                if turn == 0 or name != "variantlib make-variant":
                    times[name].append(measure(action, out))
    return report(times)


def report(times: dict[str, list[float]]) -> int:
    """Print medians, spread and the two ratios."""
    medians = {name: statistics.median(found) for name, found in times.items()}
    for name, found in times.items():
        spread = f"{min(found):.2f} to {max(found):.2f}, {len(found)} runs"
        print(f"{name:24} {medians[name]:7.2f} s  ({spread})")
    copying = medians["tag"] / medians["cp"]
    recompressing = medians["variantlib make-variant"] / medians["tag"]
    alone = medians["its copying alone"] / medians["cp"]
    print(f"copying alone / cp: {alone:.2f} (the rest is the start of Python and its packages)")
    print(f"tag / cp: {copying:.2f} (aim: at most {AIM_CP})")
    print(f"variantlib / tag: {recompressing:.1f} (aim: at least {AIM_RECOMPRESS})")
    return int(copying > AIM_CP or recompressing < AIM_RECOMPRESS)


if __name__ == "__main__":
    sys.exit(main())
