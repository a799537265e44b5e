"""Indexes with one folder for each CUDA version, and the projects whose builds lie there.

Addresses are public: PyTorch's get-started page, and public reports of NVIDIA's index for Jetson
(dusty-nv/jetson-containers#1462, October 2025; pollen-robotics/microduck_rl#38, September 2026),
whose wheels came and went. Read 2026-11-25. No other module holds an address of an index.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from nvidia_variant_provider.model import ComputeCapability, CudaVersion

# Below it lies one folder a build: ``cpu``, ``cu126``, ``cu130`` …
TORCH_INDEX: Final = "https://download.pytorch.org/whl"

# Projects whose wheels differ from folder to folder. Everything else there (numpy, nvidia-*) is a
# copy of what the main index has. Source: pytorch/test-infra s3_management, uv's list of projects.
FAMILY: Final = (
    "torch",
    "torchvision",
    "torchaudio",
    "fbgemm-gpu",
    "fbgemm-gpu-genai",
    "torch-tensorrt",
    "torchao",
    "torchcodec",
    "torchrec",
    "xformers",
)

# Projects with kernels of their own that are built against one torch: another CUDA major fails
# when they are imported or used.
COMPANIONS: Final = (
    "torchvision", "torchaudio", "torchao", "torchcodec", "torch-tensorrt", "fbgemm-gpu",
    "flash-attn", "xformers", "vllm", "auto-gptq", "deepspeed", "mamba-ssm", "causal-conv1d",
)  # fmt: skip


class JetsonIndex(NamedTuple):
    """NVIDIA's index of wheels built for Jetson: its CUDA, the devices, the JetPack releases."""

    address: str
    cuda: CudaVersion
    capability: ComputeCapability
    jetpacks: str


_ORIN: Final = ComputeCapability(8, 7)
_THOR: Final = ComputeCapability(11, 0)

# Without ``+simple`` the address is that of a web page. Newest CUDA first for each device.
JETSON_INDEXES: Final = (
    JetsonIndex("https://pypi.jetson-ai-lab.io/jp6/cu129/+simple/", CudaVersion(12, 9), _ORIN, "6"),
    JetsonIndex("https://pypi.jetson-ai-lab.io/jp6/cu126/+simple/", CudaVersion(12, 6), _ORIN, "6"),
    JetsonIndex(
        "https://pypi.jetson-ai-lab.io/sbsa/cu130/+simple/", CudaVersion(13, 0), _THOR, "7"
    ),
)


def folder_address(label: str, index: str = "") -> str:
    """Return the address of a folder, ``cu126`` for instance, of PyTorch's index or another."""
    return f"{(index or TORCH_INDEX).rstrip('/')}/{label}"
