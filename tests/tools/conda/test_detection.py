"""What rattler itself detects beside stand-ins of the driver's libraries, and our overrides."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider.model import (
    ComputeCapability,
    CudaVersion,
    Gpu,
    Machine,
    Platform,
    Status,
)
from nvidia_variant_provider.tools.conda.overrides import conda_overrides

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.native.build import StandIns

pytestmark = pytest.mark.clients

DETECTOR: Final = Path(__file__).with_name("detector.py")
PLATFORM: Final = Platform("linux", "x86_64", "glibc")


def detected(folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Return what rattler finds with the libraries of a folder."""
    environ = {"PATH": "/nonexistent", "LD_LIBRARY_PATH": str(folder), **variables}
    command = [sys.executable, str(DETECTOR)]
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=60, check=True
    )
    return dict(line.split("=", 1) for line in done.stdout.split())


@pytest.mark.parametrize(
    ("cuda", "gpus", "library", "alone"),
    [
        ("13.0", ("9.0",), "cuda", {"__cuda": "13.0", "__cuda_arch": "9.0"}),
        ("12.2", ("7.5", "8.0"), "nvml", {"__cuda": "12.2", "__cuda_arch": "7.5"}),
        # The build for CUDA 13 that this asks for has no code for the older GPU.
        ("13.0", ("6.1", "8.0"), "cuda", {"__cuda": "13.0", "__cuda_arch": "6.1"}),
        # One number alone: every build that asks for the other is left out.
        ("13.0", (), "cuda", {"__cuda": "13.0"}),
    ],
    ids=["one GPU", "two GPUs, NVML alone", "an old GPU", "no GPU"],
)
def test_rattler_sees_what_we_say_but_for_what_we_cap(
    cuda: str,
    gpus: tuple[str, ...],
    library: str,
    alone: dict[str, str],
    stand_ins: StandIns,
    tmp_path: Path,
) -> None:
    version = CudaVersion.parse(cuda)
    lines = [f"driver 580.65.06\ncuda {version.major * 1000 + version.minor * 10}"]
    lines += [f"gpu {it} - 00000000:0{at}:00.0 NVIDIA GPU" for at, it in enumerate(gpus, 1)]
    stand_ins.install(tmp_path, library, "\n".join(lines) + "\n", folder="lib")
    seen = tuple(Gpu(capability=ComputeCapability.parse(it)) for it in gpus)
    overrides = conda_overrides(Machine(PLATFORM, Status.OK, cuda=version, gpus=seen)).variables
    said = {
        f"__{name.removeprefix('CONDA_OVERRIDE_').lower()}": it for name, it in overrides.items()
    }

    assert detected(tmp_path / "lib", {}) == alone
    assert detected(tmp_path / "lib", overrides) == (said or alone)
    capped = {"__cuda": "12.9", "__cuda_arch": "6.1"} if "6.1" in gpus else alone if gpus else {}
    assert said == capped
