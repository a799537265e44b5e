"""The rules for cubins, held to NVIDIA's own linker: it accepts a cubin where a GPU would run it.

``ptxas`` makes a relocatable cubin for every target of the newest toolkit, ``nvlink`` is asked to
link it for every capability; no GPU is needed. Both come with the package nvidia-cuda-nvcc.
"""

from __future__ import annotations

import functools
import importlib.metadata
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nvidia_variant_provider.model import ComputeCapability, CudaVersion, SmArch
from nvidia_variant_provider.rules.device_code import judge_arch

STACK = CudaVersion(13, 5)
KERNEL = ".version 8.7\n.target {target}\n.address_size 64\n.visible .entry k() {{ ret; }}\n"


@functools.cache
def tool(name: str) -> str:
    files = importlib.metadata.files("nvidia-cuda-nvcc") or []
    return str(next(Path(str(it.locate())) for it in files if it.match(f"nvidia/cu13/bin/{name}")))


def targets() -> list[SmArch]:
    shown = subprocess.run([tool("ptxas"), "--help"], capture_output=True, text=True, check=True)
    names = sorted(set(re.findall(r"'sm_(\d+[af]?)'", shown.stdout)))
    return [SmArch.parse(f"{name}_real") for name in names]


@pytest.fixture(scope="module")
def cubins(tmp_path_factory: pytest.TempPathFactory) -> dict[SmArch, Path]:
    folder = tmp_path_factory.mktemp("cubins")
    source = folder / "kernel.ptx"
    source.write_text(KERNEL.format(target="sm_75"))
    built = {}
    for arch in targets():
        built[arch] = folder / f"{arch.target}.cubin"
        command = [
            tool("ptxas"),
            "-c",
            f"-arch=sm_{arch.target}",
            "-o",
            str(built[arch]),
            str(source),
        ]
        subprocess.run(command, check=True, capture_output=True)
    return built


def links(cubin: Path, device: SmArch) -> bool:
    output = cubin.with_suffix(f".{device.target}.out")
    command = [tool("nvlink"), f"-arch=sm_{device.target}", "-o", str(output), str(cubin)]
    done = subprocess.run(command, check=False, capture_output=True)
    return done.returncode == 0 and not done.stdout and not done.stderr


def most_specific(capability: ComputeCapability, known: set[SmArch]) -> SmArch:
    """Return the target that stands for the device itself: with ``a`` where there is one."""
    exact = SmArch(capability, "a")
    return exact if exact in known else SmArch(capability)


def test_nvlink_accepts_what_the_rules_say_runs(cubins: dict[SmArch, Path]) -> None:
    capabilities = sorted({arch.capability for arch in cubins})
    pairs = [(arch, capability) for arch in cubins for capability in capabilities]

    with ThreadPoolExecutor(2) as pool:
        linked = pool.map(
            lambda pair: links(cubins[pair[0]], most_specific(pair[1], set(cubins))), pairs
        )

    differing = [
        (str(arch), str(capability), accepted)
        for (arch, capability), accepted in zip(pairs, linked, strict=True)
        if judge_arch(arch, capability, STACK).supported is not accepted
    ]
    assert len(pairs) > 200
    assert differing == []
