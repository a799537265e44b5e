"""What uv sees of this machine: it asks ``nvidia-smi`` on the PATH and nothing else.

Our own detection may well see more, so uv's choice is predicted from uv's own source.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from nvidia_variant_provider.detect.smi import parse_banner
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import ComputeCapability, Gpu, Machine, Status

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Platform


def machine_seen_by_uv(platform: Platform) -> Machine:
    """Return the CUDA driver version and the GPUs that ``nvidia-smi`` tells of."""
    report = _ask("-q")
    capabilities = _ask("--query-gpu=compute_cap", "--format=csv,noheader").splitlines()
    gpus = [_gpu(line.strip()) for line in capabilities]
    return Machine(
        platform,
        Status.NONE,
        reason="as nvidia-smi tells it",
        cuda=parse_banner(report),
        gpus=tuple(gpu for gpu in gpus if gpu.capability is not None),
    )


def _ask(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["nvidia-smi", *arguments], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def _gpu(text: str) -> Gpu:
    try:
        return Gpu(capability=ComputeCapability.parse(text))
    except InvalidValueError:
        return Gpu()
