"""Read again the sources of the tables that come as packages, and say what the tables do not have.

Run ``.ci/refresh``. It fetches the newest ``nvidia-cuda-nvcc`` (SM targets, PTX ISA, toolkit),
``nvidia-ml-py`` (driver branch, NVML's codes) and ``cuda-bindings`` (codes of the CUDA driver) with
pip, and ``pci.ids`` with apt. Exit codes: 0 nothing new, 1 something new, 2 a source that could not
be read. ``--accept`` notes codes and versions as seen, once the tables have what they need of them.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import regen_tables

from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.rules.catalogue import sm_archs
from nvidia_variant_provider.tables.driver_branches import BRANCHES
from nvidia_variant_provider.tables.toolkits import FIRST_CUDA_OF_ISA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEEN: Final = Path(__file__).resolve().parent / "tables" / "seen.json"
_PTX: Final = ".version {}.{}\n.target sm_90\n.address_size 64\n"


class SourceError(Exception):
    """A source that could not be fetched or read."""


def parse_targets(text: str) -> set[str]:
    """Read the targets that ``ptxas --help`` lists: ``{"90a", "100f"}``."""
    return set(re.findall(r"'sm_(\d+[af]?)'", text))


def parse_release(text: str) -> CudaVersion:
    """Read the toolkit of ``ptxas --version``; raises ``SourceError``."""
    match = re.search(r"release (\d+\.\d+)", text)
    if match is None:
        raise SourceError(f"ptxas --version: no release in {text[:200]!r}")
    return CudaVersion.parse(match[1])


def parse_codes(text: str, prefix: str) -> set[str]:
    """Read the names of status codes; raises ``SourceError`` where there are none."""
    found = set(re.findall(rf"^\s*{prefix}(\w+)\s*(?:=.*)?$", text, re.MULTILINE))
    if not found:
        raise SourceError(f"no line with a name that begins with {prefix}")
    return found


def fetch(package: str, folder: Path) -> Path:
    """Fetch the newest wheel of a package with pip; raises ``SourceError``."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
    done = subprocess.run(
        [*command, str(folder), "--only-binary", ":all:", package],
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = sorted(folder.glob(f"{package.replace('-', '_')}-*.whl"))
    if done.returncode or not wheels:
        raise SourceError(f"{package}: pip could not fetch it: {done.stderr.strip()[-300:]}")
    return wheels[-1]


def toolkit(folder: Path, seen: dict[str, Any]) -> Iterator[str]:
    """Yield what the newest toolkit has and the tables have not."""
    wheel = fetch("nvidia-cuda-nvcc", folder)
    seen["nvidia-cuda-nvcc"] = wheel.name.split("-")[1]
    ptxas = _unpacked(wheel, folder, r"/ptxas$")
    ptxas.chmod(0o755)
    known = {arch.target for arch in sm_archs() if not arch.virtual}
    targets = parse_targets(_output(ptxas, "--help"))
    if not targets:
        raise SourceError("ptxas --help: no targets")
    for target in sorted(targets - known):
        yield f"SM target {target}: products.py, sm_archs.py"
    release = parse_release(_output(ptxas, "--version"))
    if release > BRANCHES[-1][1]:
        yield f"CUDA {release}: driver_branches.py knows {BRANCHES[-1][1]}"
    newest = max(FIRST_CUDA_OF_ISA)
    for isa in ((newest[0], newest[1] + 1), (newest[0] + 1, 0)):
        if _compiles(ptxas, folder, isa):
            yield f"PTX ISA {isa[0]}.{isa[1]}: toolkits.py"


def _unpacked(wheel: Path, folder: Path, pattern: str) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if re.search(pattern, name):
                return Path(archive.extract(name, folder))
    raise SourceError(f"{wheel.name}: no member like {pattern}")


def _output(program: Path, option: str) -> str:
    return subprocess.run([program, option], capture_output=True, text=True, check=True).stdout


def _compiles(ptxas: Path, folder: Path, isa: tuple[int, int]) -> bool:
    source = folder / "version.ptx"
    source.write_text(_PTX.format(*isa), "utf-8")
    command: list[str | Path] = [ptxas, "-arch", "sm_90", source, "-o", folder / "out.cubin"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def nvml(folder: Path, seen: dict[str, Any]) -> Iterator[str]:
    """Yield NVML's new codes, and the driver branch that its bindings are of."""
    wheel = fetch("nvidia-ml-py", folder)
    version = wheel.name.split("-")[1]
    seen["nvidia-ml-py"] = version
    text = _unpacked(wheel, folder, r"^pynvml\.py$").read_text("utf-8", "replace")
    yield from _new_codes(seen, "nvml", parse_codes(text, "NVML_ERROR_"))
    # "13.615.71" is of CUDA 13 and driver branch 615.
    branch = int(version.split(".")[1])
    if branch > BRANCHES[-1][0]:
        yield f"driver branch R{branch}: driver_branches.py knows R{BRANCHES[-1][0]}"


def driver(folder: Path, seen: dict[str, Any]) -> Iterator[str]:
    """Yield the new codes of the CUDA driver."""
    wheel = fetch("cuda-bindings", folder)
    seen["cuda-bindings"] = wheel.name.split("-")[1]
    text = _unpacked(wheel, folder, r"bindings/cydriver\.pxd$").read_text("utf-8", "replace")
    yield from _new_codes(seen, "cuda", parse_codes(text, "CUDA_ERROR_"))


def _new_codes(seen: dict[str, Any], kind: str, codes: set[str]) -> Iterator[str]:
    for name in sorted(codes - set(seen.get(kind, ()))):
        yield f"{kind} code {name}: status_codes.py"
    seen[kind] = sorted(codes)


def pci(folder: Path, seen: dict[str, Any]) -> Iterator[str]:
    """Yield the PCI ids that Debian's ``pci.ids`` has of known chips and the tables have not."""
    command = ["apt-get", "download", "pci.ids"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise SourceError(f"pci.ids: {error}") from error
    packages = sorted(folder.glob("pci.ids_*.deb"))
    if done.returncode or not packages:
        raise SourceError(f"pci.ids: apt-get could not fetch it: {done.stderr.strip()[-300:]}")
    seen["pci.ids"] = packages[-1].name.split("_")[1]
    subprocess.run(["dpkg-deb", "-x", packages[-1], folder / "pci"], check=True)
    source = json.loads(regen_tables.SOURCE.read_text("utf-8"))
    for device, name in regen_tables.missing(source, folder / "pci/usr/share/misc/pci.ids"):
        yield f"PCI id {device} {name}: .ci/tables/nvidia_pci.json"


SOURCES: Final[tuple[Callable[[Path, dict[str, Any]], Iterator[str]], ...]] = (
    toolkit,
    nvml,
    driver,
    pci,
)


def main() -> int:
    """Read every source, print what is new; a source that fails does not hide the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accept", action="store_true", help="note codes and versions as seen")
    args = parser.parse_args()
    seen = json.loads(SEEN.read_text("utf-8")) if SEEN.exists() else {}
    found: list[str] = []
    broken = 0
    for source in SOURCES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                found += source(Path(folder), seen)
            except (SourceError, subprocess.CalledProcessError, OSError, ValueError) as error:
                sys.stderr.write(f"error: {source.__name__}: {error}\n")
                broken += 1
    print("\n".join(f"new: {line}" for line in found) or "nothing new")
    if args.accept and not broken:
        seen["read"] = date.today().isoformat()  # noqa: DTZ011 - the author's day
        SEEN.write_text(json.dumps(seen, indent=1, sort_keys=True) + "\n", "utf-8")
    return 2 if broken else 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
