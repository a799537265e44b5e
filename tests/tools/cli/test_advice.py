"""Advice that goes by names: for GPUs of which the driver tells no capability."""

from __future__ import annotations

import pytest

from nvidia_variant_provider.detect.cascade import Detection
from nvidia_variant_provider.model import (
    ComputeCapability,
    CudaVersion,
    Gpu,
    Machine,
    Platform,
    Status,
)
from nvidia_variant_provider.overrides import FORCE_SM_ARCH
from nvidia_variant_provider.tools.cli.advice import advice_for

PASCAL = Gpu("NVIDIA GeForce GTX 1080 Ti")
KNOWN = Gpu("NVIDIA H100 80GB HBM3", capability=ComputeCapability(9, 0))


@pytest.mark.parametrize(
    ("gpus", "advice"),
    [
        (
            (PASCAL, PASCAL),
            [
                (
                    f"export {FORCE_SM_ARCH}=6.1: the driver tells no compute capability, and that "
                    "is the one of NVIDIA GeForce GTX 1080 Ti"
                )
            ],
        ),
        ((PASCAL, KNOWN), []),
        ((PASCAL, Gpu("Tesla T4")), []),
        ((Gpu("rtx6000"),), []),
        ((Gpu("Graphics Device"), Gpu()), []),
        ((), []),
    ],
    ids=["one name", "one told", "two names", "ambiguous", "no name", "no GPU"],
)
def test_a_name_is_advice_where_it_is_all_that_tells_the_capability(
    gpus: tuple[Gpu, ...], advice: list[str]
) -> None:
    platform = Platform("linux", "x86_64", "glibc")
    machine = Machine(platform, Status.OK, cuda=CudaVersion(12, 2), gpus=gpus)

    assert advice_for(Detection(machine, ())) == advice
