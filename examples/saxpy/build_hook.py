"""Compiles the library of the wheel: with nvcc for the GPUs that are named, else for the CPU.

``TORCH_CUDA_ARCH_LIST`` names them as it does for torch extensions: ``8.0;9.0a+PTX``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SaxpyBuildHook(BuildHookInterface):  # type: ignore[misc]  # hatchling need not be installed
    """Adds ``saxpy/libsaxpy.so`` and the tag of the platform that it was compiled for."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the wheel is packed."""
        del version
        output = Path(self.directory, "libsaxpy.so")
        output.parent.mkdir(parents=True, exist_ok=True)
        source = Path(self.root, "saxpy.cu")
        archs = os.environ.get("TORCH_CUDA_ARCH_LIST", "")
        subprocess.run(command(archs, source, output), check=True)
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"
        build_data["force_include"][str(output)] = "saxpy/libsaxpy.so"


def command(archs: str, source: Path, output: Path) -> list[str]:
    """Return the compiler's command line; without architectures that of the C++ compiler."""
    if not archs:
        return ["g++", "-shared", "-fPIC", "-O2", "-x", "c++", str(source), "-o", str(output)]
    home = os.environ.get("CUDA_HOME", "/usr/local/cuda")
    options = ["-shared", "-Xcompiler=-fPIC", f"-L{home}/lib", *targets(archs)]
    return [f"{home}/bin/nvcc", *options, str(source), "-o", str(output)]


def targets(archs: str) -> list[str]:
    """Return nvcc's options for ``8.0;9.0a+PTX``: a cubin each, and PTX where it says so."""
    options = []
    for item in archs.split(";"):
        found = re.fullmatch(r"(\d+)\.(\d)([af]?)(\+PTX)?", item.strip())
        if not found:
            raise SystemExit(f"TORCH_CUDA_ARCH_LIST: expected such as 8.0;9.0a+PTX, not {archs!r}")
        name = f"{found[1]}{found[2]}{found[3]}"
        options.append(f"-gencode=arch=compute_{name},code=sm_{name}")
        if found[4]:
            options.append(f"-gencode=arch=compute_{name},code=compute_{name}")
    return options
