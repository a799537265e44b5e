"""The machines of the demonstration: this one and others, told to the installers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.machine_file import dump
from nvidia_variant_provider.model import (
    ComputeCapability,
    CudaVersion,
    Gpu,
    Machine,
    Platform,
    Status,
)

if TYPE_CHECKING:
    from pathlib import Path

FORCE_CUDA: Final = "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION"
FORCE_SM: Final = "NV_VARIANT_PROVIDER_FORCE_SM_ARCH"
MACHINE_FILE: Final = "NV_VARIANT_PROVIDER_MACHINE"


@dataclass(frozen=True, slots=True)
class Case:
    """One row: which machine asks for which torch. ``machine`` is ``None`` for this machine."""

    key: str
    title: str
    machine: Machine | None
    version: str = "2.14.1"

    @property
    def python_platform(self) -> str:
        """The ``--python-platform`` that makes uv choose for the machine; empty for this one."""
        return f"{self.machine.platform.architecture}-unknown-linux-gnu" if self.machine else ""

    def uv_settings(self) -> dict[str, str]:
        """Return what tells uv of the machine: its version and, as uv would, its strongest GPU."""
        if self.machine is None:
            return {}
        return {
            FORCE_CUDA: str(self.machine.cuda),
            FORCE_SM: str(self.machine.capabilities[-1]),
        }

    def provider_settings(self, folder: Path) -> dict[str, str]:
        """Return what tells the plugin of the machine: the same, or a file for mixed GPUs."""
        if self.machine is None or len(self.machine.capabilities) == 1:
            return self.uv_settings()
        return {MACHINE_FILE: self._file(folder)}

    def run_settings(self, folder: Path) -> dict[str, str]:
        """Return what tells ``run`` of the machine: a file, for its processor counts, too."""
        return {} if self.machine is None else {MACHINE_FILE: self._file(folder)}

    def _file(self, folder: Path) -> str:
        path = folder / f"{self.key}.json"
        if self.machine is not None:
            path.write_text(json.dumps(dump(self.machine)), encoding="utf-8")
        return str(path.absolute())


def _machine(cuda: str, *gpus: tuple[str, str], architecture: str = "x86_64") -> Machine:
    return Machine(
        platform=Platform("linux", architecture, "glibc"),
        status=Status.PINNED,
        reason="stated by the demonstration",
        cuda=CudaVersion.parse(cuda),
        cuda_source="override",
        gpus=tuple(
            Gpu(name=name, capability=ComputeCapability.parse(capability), integrated=False)
            for name, capability in gpus
        ),
    )


CASES: Final = (
    Case("this", "this machine", None),
    Case("h100", "H100, CUDA 13.2", _machine("13.2", ("H100", "9.0"))),
    Case("h100-older-driver", "H100, CUDA 12.4", _machine("12.4", ("H100", "9.0"))),
    # R580 is the last driver branch for Pascal, and it says CUDA 13.0.
    Case("gtx1080ti", "GTX 1080 Ti, CUDA 13.0", _machine("13.0", ("GTX 1080 Ti", "6.1"))),
    Case(
        "gb200",
        "GB200 (aarch64), CUDA 13.0",
        _machine("13.0", ("GB200", "10.0"), architecture="aarch64"),
    ),
    Case(
        "gh200",
        "GH200 (aarch64), CUDA 12.8",
        _machine("12.8", ("GH200", "9.0"), architecture="aarch64"),
    ),
    Case(
        "mixed",
        "V100 and A100, CUDA 13.0",
        _machine("13.0", ("V100", "7.0"), ("A100", "8.0")),
    ),
    Case(
        "newer",
        "GPU newer than the wheels (13.0), CUDA 14.0",
        _machine("14.0", ("a later GPU", "13.0")),
    ),
    Case(
        "newer-ptx",
        "the same, torch 2.10.0 (with PTX)",
        _machine("14.0", ("a later GPU", "13.0")),
        version="2.10.0",
    ),
)
