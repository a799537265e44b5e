"""The rules for PTX, held to NVIDIA's own assembler: it compiles PTX for a GPU that could run it.

Every target that the newest ``ptxas`` reads, those it no longer makes cubins for included, is
compiled for every GPU it knows; no GPU is needed. The package is nvidia-cuda-nvcc.
"""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.model import ComputeCapability, SmArch
from nvidia_variant_provider.rules.catalogue import suffixes
from nvidia_variant_provider.rules.device_code import judge_arch
from tests.contract.test_nvlink import STACK, most_specific, targets, tool

if TYPE_CHECKING:
    from pathlib import Path

# The newest PTX ISA of this ptxas: older ones do not know sm_107.
KERNEL: Final = ".version 9.5\n.target sm_{}\n.address_size 64\n.visible .entry k() {{ ret; }}\n"
# Read, and no longer compiled for.
OLDER: Final = (50, 52, 53, 60, 61, 62, 70, 72, 101)


def compiles(source: Path, device: SmArch) -> bool:
    output = source.with_suffix(f".{device.target}.out")
    command = [tool("ptxas"), f"-arch=sm_{device.target}", "-o", str(output), str(source)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_ptxas_compiles_what_the_rules_say_runs(tmp_path: Path) -> None:
    cubins = targets()
    devices = sorted({arch.capability for arch in cubins})
    read = sorted({*devices, *map(ComputeCapability.from_number, OLDER)})
    sources = {}
    for arch in (SmArch(it, suffix, virtual=True) for it in read for suffix in suffixes(it)):
        sources[arch] = tmp_path / f"{arch.target}.ptx"
        sources[arch].write_text(KERNEL.format(arch.target))
    pairs = [(arch, capability) for arch in sources for capability in devices]

    with ThreadPoolExecutor(2) as pool:
        compiled = pool.map(
            lambda pair: compiles(sources[pair[0]], most_specific(pair[1], set(cubins))), pairs
        )

    differing = [
        (str(arch), str(capability), accepted)
        for (arch, capability), accepted in zip(pairs, compiled, strict=True)
        if judge_arch(arch, capability, STACK).supported is not accepted
    ]
    assert len(pairs) > 400
    assert differing == []
