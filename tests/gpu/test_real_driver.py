"""On a machine with an NVIDIA GPU: detection agrees with the driver's own tools.

Run with ``pytest -m gpu``; without a driver these tests skip. ``nvidia-smi`` is asked here as the
independent witness: detection itself reaches it only when the libraries do not answer.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from nvidia_variant_provider.detect.cascade import Detection, detect
from nvidia_variant_provider.detect.host import RealHost
from nvidia_variant_provider.model import Status
from nvidia_variant_provider.rules import decide

SMI = shutil.which("nvidia-smi")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        SMI is None or not os.path.exists("/dev/nvidiactl"),
        reason="no NVIDIA GPU with its driver and nvidia-smi on this machine",
    ),
]


@pytest.fixture(scope="module")
def found() -> Detection:
    return detect(RealHost(), seconds=60)


def ask_smi(*arguments: str) -> str:
    assert SMI is not None
    return subprocess.run([SMI, *arguments], capture_output=True, text=True, check=True).stdout


def rows(field: str) -> list[str]:
    return ask_smi(f"--query-gpu={field}", "--format=csv,noheader").split("\n")[:-1]


def test_the_machine_is_in_order(found: Detection) -> None:
    assert found.machine.status is Status.OK, found.machine.reason


def test_the_driver_release_is_that_of_nvidia_smi(found: Detection) -> None:
    assert {str(found.machine.driver_release)} == set(rows("driver_version"))


def test_the_cuda_driver_version_is_that_of_nvidia_smi(found: Detection) -> None:
    match = re.search(r"CUDA (?:UMD )?Version\s*:\s*(\d+\.\d+)", ask_smi())

    assert match is not None
    assert str(found.machine.cuda) == match[1]
    assert not found.machine.cuda_derived


def test_every_gpu_has_the_identity_and_capability_of_nvidia_smi(found: Detection) -> None:
    expected = sorted(zip(rows("uuid"), rows("compute_cap"), rows("name"), strict=True))

    gpus = sorted((gpu.uuid, str(gpu.capability), gpu.name) for gpu in found.machine.gpus)
    assert gpus == expected


def test_kernel_files_alone_give_the_same_capabilities(found: Detection) -> None:
    """What is derived on a machine whose libraries do not answer is what they would say."""
    from nvidia_variant_provider.detect.kernel import read_kernel

    derived = {gpu.as_gpu().capability for gpu in read_kernel(RealHost().files).pci}

    assert set(found.machine.capabilities) <= derived


def test_the_own_cubin_leads(found: Detection) -> None:
    archs = decide(found.machine).values("sm_arch")

    assert archs[0].startswith(str(found.machine.capabilities[0].number))
