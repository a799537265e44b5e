"""Build what is released twice, in surroundings as different as can be, and compare the bytes.

The second build is of a copy: another folder, file times and modes, umask, time zone, locale,
``SOURCE_DATE_EPOCH`` and hash seed. The first one is left in ``dist/``. Both use the interpreter
that runs this: other builds of zlib compress wheels and sdists differently.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import build_dist
from bill import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

# None of it may get into a byte of what is built. 2001-09-09, and no right for anyone else.
OTHERWISE: Final = {
    "TZ": "Pacific/Kiritimati",
    "LC_ALL": "C",
    "LANG": "C",
    "PYTHONHASHSEED": "7",
    "SOURCE_DATE_EPOCH": "1000000000",
}
OTHER_TIME: Final = 1_000_000_000
OTHER_UMASK: Final = 0o077


def main() -> int:
    """Return 1 if a file differs, and say which."""
    python = build_dist.build_environment()
    with tempfile.TemporaryDirectory(prefix="another place ") as scratch:
        copy, out = Path(scratch, "checkout"), Path(scratch, "out")
        make_copy(copy)
        run_build(ROOT, ROOT / "dist", python, {})
        run_build(copy, out, python, OTHERWISE)
        names = (*build_dist.BUILT, "SHA256SUMS")
        differing = [name for name in names if not same(ROOT / "dist" / name, out / name)]
        for name in differing:
            sys.stderr.write(f"differs: {name}\n{explain(ROOT / 'dist' / name, out / name)}\n")
    print((ROOT / "dist" / "SHA256SUMS").read_text(), end="")
    print(f"Python {sys.version.partition(' ')[0]}, zlib {zlib.ZLIB_RUNTIME_VERSION}: ", end="")
    print(f"{len(differing)} files differ" if differing else "both builds gave the same bytes")
    return int(bool(differing))


def make_copy(target: Path) -> None:
    """Copy what a commit of this tree would hold, last name first, with times and modes of its own.

    Without git, in an unpacked sdist, everything is copied.
    """
    for name in sorted(_names(), reverse=True):
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, path)
        path.chmod(0o700 if os.access(ROOT / name, os.X_OK) else 0o600)
        os.utime(path, (OTHER_TIME, OTHER_TIME))


def _names() -> list[str]:
    if not (ROOT / ".git").exists():
        files = (path for path in ROOT.rglob("*") if path.is_file())
        return [path.relative_to(ROOT).as_posix() for path in files]
    listing = [
        "git",
        "-C",
        str(ROOT),
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    names = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split("\0")
    return [name for name in set(names) if name and (ROOT / name).is_file()]


def run_build(tree: Path, out: Path, python: str, settings: Mapping[str, str]) -> None:
    """Build a tree with its own script."""
    before = os.umask(OTHER_UMASK if settings else 0o022)
    try:
        subprocess.run(
            [
                sys.executable,
                str(tree / ".ci/build_dist.py"),
                "--outdir",
                str(out),
                "--python",
                python,
            ],
            check=True,
            cwd=tree,
            env={**os.environ, **settings},
            stdout=subprocess.DEVNULL,
        )
    finally:
        os.umask(before)


def same(one: Path, other: Path) -> bool:
    """Tell whether two files hold the same bytes."""
    return one.read_bytes() == other.read_bytes()


def explain(one: Path, other: Path) -> str:
    """Return where two files begin to differ, and what is around it."""
    left, right = one.read_bytes(), other.read_bytes()
    at = next((i for i, pair in enumerate(zip(left, right, strict=False)) if len(set(pair)) > 1), 0)
    around = slice(max(0, at - 20), at + 20)
    return f"  {len(left)} and {len(right)} bytes; at {at}: {left[around]!r}, {right[around]!r}"


if __name__ == "__main__":
    sys.exit(main())
