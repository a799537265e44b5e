"""Build what is released into ``dist/``: sdist, wheel, the stand-alone file, bills of materials.

The build backend is installed by hash from ``build-requirements.txt`` into ``.cache``, so that the
same commit gives the same bytes next year. No time gets in: ``SOURCE_DATE_EPOCH`` is left aside
and hatchling's constant date counts, for an unpacked sdist has no commit to take a date from.
``SHA256SUMS`` lists everything.
"""

from __future__ import annotations

import argparse
import email.parser
import hashlib
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import build_standalone
from bill import PACKAGE, ROOT, VERSION, bill_of_materials

if TYPE_CHECKING:
    from email.message import Message

REQUIREMENTS: Final = Path(__file__).with_name("build-requirements.txt")
STEM: Final = f"{PACKAGE}-{VERSION}"
WHEEL: Final = f"{STEM}-py3-none-any.whl"
ARCHIVE: Final = f"{STEM}.pyz"
# The extras that are not for work on this project, as the metadata of a wheel words them.
FOR_USERS: Final = ("extra == 'tools'", "extra == 'dask'")
BUILT: Final = (f"{STEM}.tar.gz", WHEEL, f"{WHEEL}.cdx.json", ARCHIVE, f"{ARCHIVE}.cdx.json")


def main(argv: list[str] | None = None) -> int:
    """Build, and print the hash of every file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--outdir", type=Path, default=ROOT / "dist", help="default: dist/")
    parser.add_argument("--python", help="an interpreter that has the requirements already")
    asked = parser.parse_args(argv)
    folder: Path = asked.outdir.resolve()
    build(asked.python or build_environment(), folder)
    build_standalone.main(["--outdir", str(folder)])
    (folder / f"{WHEEL}.cdx.json").write_bytes(bill_of_wheel(folder / WHEEL).encode())
    sums = "".join(f"{digest(folder / name)}  {name}\n" for name in BUILT)
    (folder / "SHA256SUMS").write_bytes(sums.encode())
    print(sums, end="")
    return 0


def build_environment() -> str:
    """Return an interpreter that has the build backend, installed by hash and kept."""
    stamp = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:8]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = ROOT / ".cache" / f"build-py{version}-{stamp}"
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not (folder / "ready").exists():
        venv.create(folder, clear=True, with_pip=True)
        install = [str(python), "-m", "pip", "install", "-q", "--require-hashes"]
        subprocess.run([*install, "-r", str(REQUIREMENTS)], check=True)
        (folder / "ready").touch()
    return str(python)


def build(python: str, folder: Path) -> None:
    """Build the sdist, and the wheel out of it."""
    kept = {name: text for name, text in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    command = [python, "-m", "build", "--quiet", "--no-isolation", "--outdir", str(folder)]
    done = subprocess.run(
        [*command, str(ROOT)], check=False, env=kept, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}the build ended with {done.returncode}")


def bill_of_wheel(path: Path) -> str:
    """Return the bill of materials of a wheel, with the backend that its own metadata names."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in sorted(archive.namelist())}
    required = fields(members, "METADATA").get_all("Requires-Dist", [])
    return bill_of_materials(
        f"{path.name}: the variant provider and its tools",
        digest(path),
        members,
        tool=fields(members, "WHEEL")["Generator"],
        optional=[text for text in required if any(name in text for name in FOR_USERS)],
    )


def fields(members: dict[str, bytes], name: str) -> Message:
    """Return the headers of a file in ``.dist-info``."""
    text = members[f"{STEM}.dist-info/{name}"].decode()
    return email.parser.HeaderParser().parsestr(text)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
