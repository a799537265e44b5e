"""Compiled stand-ins for NVML and libcuda: built once a session, installed wherever a test wants.

``stand_in.c`` says what a stand-in can be told. A missing compiler is an error: the ABI is what
these libraries are here to prove.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

SOURCE: Final = Path(__file__).with_name("stand_in.c")
SONAMES: Final = {"nvml": "libnvidia-ml.so.1", "cuda": "libcuda.so.1"}
# Under a forged root this is the first folder that detection knows.
FOLDER: Final = f"usr/lib/{os.uname().machine}-linux-gnu"
_FLAGS: Final = ("-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC")

H100: Final = "gpu 9.0 GPU-11111111-2222-3333-4444-555555555555 00000000:01:00.0 NVIDIA H100"
R580: Final = "driver 580.65.06\ncuda 13000\n"


@dataclass(frozen=True, slots=True)
class StandIns:
    """The two compiled libraries."""

    nvml: Path
    cuda: Path

    def install(
        self,
        root: Path,
        api: str,
        conf: str = "",
        *,
        folder: str = FOLDER,
        missing: Iterable[str] = (),
    ) -> Path:
        """Put a library ("nvml" or "cuda") below ``root`` with what it is to say.

        ``missing`` names functions that the library is not to have.
        """
        image = (self.nvml if api == "nvml" else self.cuda).read_bytes()
        for name in missing:
            image = _without(image, name)
        path = root / folder / SONAMES[api]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image)
        path.with_name(f"{path.name}.conf").write_text(conf, encoding="utf-8")
        return path


def _without(image: bytes, name: str) -> bytes:
    """Rename an exported function: the hash still leads to its row, and the name there differs."""
    old = b"\0" + name.encode() + b"\0"
    if image.count(old) == 0:
        raise LookupError(f"the stand-in has no function {name}")
    return image.replace(old, b"\0" + b"x" + name[1:].encode() + b"\0")


def compile_stand_ins(folder: Path) -> StandIns:
    """Compile into ``folder`` unless this source was compiled there before; safe in parallel."""
    stamp = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]
    made = {}
    for api, soname in SONAMES.items():
        made[api] = folder / f"{stamp}-{soname}"
        if not made[api].exists():
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                fresh = Path(scratch) / soname
                named = (f"-D{api.upper()}", f"-Wl,-soname,{soname}")
                command = ["gcc", *_FLAGS, *named, str(SOURCE), "-o", str(fresh)]
                subprocess.run(command, check=True)
                fresh.replace(made[api])
    return StandIns(**made)


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> StandIns:
    """Return the compiled libraries, shared by all workers of one test run."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return compile_stand_ins(shared)
