"""Machine files: what is written reads back alike, and what is wrong is named by its key."""

from __future__ import annotations

from typing import Any

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.machine_file import MAX_GPUS, dump, load
from nvidia_variant_provider.model import (
    ComputeCapability,
    CudaVersion,
    DriverRelease,
    Gpu,
    Machine,
    Note,
    Platform,
    Status,
)

GRACE = Machine(
    Platform("linux", "aarch64", "glibc"),
    Status.OK,
    "driver and GPUs answer",
    DriverRelease("580.65.06"),
    "/sys/module/nvidia/version",
    CudaVersion(13, 0),
    "NVML",
    cuda_derived=False,
    gpus=(
        Gpu("GH200", "GPU-1", "0009:01:00.0", ComputeCapability(9, 0), True, "NVML"),  # noqa: FBT003
        Gpu("unknown"),
    ),
    notes=(Note("mixed-gpus", "two"),),
)


@pytest.mark.parametrize("machine", [GRACE, Machine(Platform("win32", ""), Status.NONE)])
def test_a_machine_reads_back_alike(machine: Machine) -> None:
    assert load(dump(machine)) == machine


def test_a_machine_may_be_written_by_hand() -> None:
    machine = load({"cuda_driver_version": "13.0", "gpus": [{"compute_capability": "9.0"}]})

    assert machine.status is Status.PINNED
    assert machine.cuda == CudaVersion(13, 0)
    assert machine.capabilities == (ComputeCapability(9, 0),)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "a machine: expected a JSON object, seen []"),
        ({"schema_version": 2}, "schema_version: expected 1"),
        ({"schema_version": True}, "schema_version: expected a whole number, seen true"),
        ({"platform": "linux"}, 'platform: expected a JSON object, seen "linux"'),
        ({"gpus": {}}, "gpus: expected a list, seen {}"),
        ({"gpus": [{}] * (MAX_GPUS + 1)}, f"gpus: 257 of them, expected at most {MAX_GPUS}"),
        ({"gpus": [{"integrated": 1}]}, "integrated: expected true or false, seen 1"),
        ({"gpus": [{"memory_mib": -1}]}, "memory_mib: expected a number of MiB, seen -1"),
        ({"gpus": [{"memory_mib": True}]}, "memory_mib: expected a whole number, seen true"),
        ({"tegra": object}, "tegra: expected true or false, seen <class 'object'>"),
        ({"status": "fine"}, "status: 'fine', expected one of ok, "),
        ({"cuda_driver_version": 13}, "cuda_driver_version: expected a text, seen 13"),
        ({"cuda_driver_version": "580"}, "not a CUDA version such as '12.8': '580'"),
        ({"driver_release": "R580"}, "not a driver release such as '580.65.06': 'R580'"),
        ({"notes": ["text"]}, 'notes[0]: expected a JSON object, seen "text"'),
    ],
)
def test_what_is_wrong_is_named(document: Any, words: str) -> None:  # noqa: ANN401 - JSON
    with pytest.raises(InvalidValueError) as caught:
        load(document)

    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "no key of a machine, seen nothing"),
        ({"gpu": [], "cuda": "13.0"}, "no key of a machine, seen 'gpu', 'cuda'"),
        ({"items": []}, "this looks like a list of Kubernetes objects"),
        ({"nodes": []}, "this looks like what 'scontrol show nodes --json' prints"),
        ({"schema_version": 1, "observed": {}}, "this is a machine record"),
        ({"variants": {}}, "this is variant metadata of a release"),
    ],
)
def test_a_document_that_tells_of_no_machine_is_refused(
    document: dict[str, object], words: str
) -> None:
    """Taken as a machine it would be one without a GPU: a silent CPU wheel."""
    with pytest.raises(InvalidValueError) as caught:
        load(document)

    assert str(caught.value).startswith(f"a machine: {words}")
    assert "expected such as" in str(caught.value)
