"""What the kernel's files say of single GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.detect.files import Files
from nvidia_variant_provider.detect.kernel import KernelView, PciGpu, parse_information, read_kernel
from nvidia_variant_provider.detect.outcome import Miss, MissReason
from nvidia_variant_provider.model import Gpu

if TYPE_CHECKING:
    from pathlib import Path

INFORMATION = """\
Model: \t\t NVIDIA GeForce RTX 3090
IRQ:   \t\t 201
Bus Location: \t 0000:02:00.0
Device Minor: \t 3
GPU Firmware: \t N/A
GPU Excluded:\t No
"""


@pytest.mark.parametrize(
    ("text", "minor", "excluded"),
    [
        (INFORMATION, 3, False),
        (INFORMATION.replace("No\n", "Yes\n"), 3, True),
        ("", None, False),
        ("Device Minor: \t ?", None, False),
        ("Device Minor: \t -1", None, False),
        (f"Device Minor: {'9' * 5000}", None, False),
        ("Device Minor: 9999", 9999, False),
        ("Device Minor: 10000", None, False),
        ("no colon\n:\nDevice Minor 4\n", None, False),
    ],
)
def test_a_gpu_s_information_is_read(text: str, minor: int | None, excluded: bool) -> None:  # noqa: FBT001
    assert parse_information(text) == (minor, excluded)


@pytest.mark.parametrize(
    ("gpu", "nodes", "serves"),
    [
        (PciGpu("", 1, "nvidia"), ("nvidia1",), True),
        (PciGpu("", 1, "vfio-pci"), ("nvidia1",), False),
        (PciGpu("", 1, "nvidia", minor=1), ("nvidia1", "nvidiactl"), True),
        (PciGpu("", 1, "nvidia", minor=0), ("nvidia1", "nvidiactl"), False),
        (PciGpu("", 1, "nvidia", minor=1, excluded=True), ("nvidia1",), False),
        # Device nodes are made on first use: none at all says nothing of one GPU.
        (PciGpu("", 1, "nvidia", minor=0), (), True),
        (PciGpu("", 1, "nvidia", minor=0), ("nvidiactl",), True),
    ],
)
def test_a_gpu_counts_where_the_driver_serves_it_and_its_node_was_given(
    gpu: PciGpu,
    nodes: tuple[str, ...],
    serves: bool,  # noqa: FBT001
) -> None:
    view = KernelView(Miss("", MissReason.ABSENT), nodes=nodes)

    assert view.serves(gpu) is serves


def test_a_tegra_of_an_unheard_of_chip_is_a_gpu_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvmap").touch()
    tree = tmp_path / "proc" / "device-tree"
    tree.mkdir(parents=True)
    (tree / "compatible").write_text("nvidia,p9999\0nvidia,tegra999\0")

    view = read_kernel(Files(str(tmp_path)))

    assert (view.tegra, view.tegra_gpu) == (True, Gpu(name="NVIDIA Tegra", integrated=True))
