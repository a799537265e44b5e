"""The JSON document of ``torch-backend``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nvidia_variant_provider.tools.documents import JsonModel
from nvidia_variant_provider.tools.machines.properties_model import MachineSummary

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.torch.backend import Backend


class BuildRecord(JsonModel):
    """One CUDA build of the release for the platform."""

    path: str = Field(examples=["cu126"])
    cuda: str = Field(examples=["12.6"])
    fits: bool | None = Field(description="null where it cannot be told")
    reason: str
    covers: tuple[str, ...] = Field(description="the machine's capabilities it has code for")


class TorchBackend(JsonModel):
    """The build that fits a machine, and the others."""

    schema_version: Literal[1] = 1
    torch: str = Field(examples=["2.14.1"])
    platform: str = Field(examples=["linux-x86_64"])
    machine: MachineSummary
    path: str = Field(description="last part of the index address", examples=["cu126", "cpu"])
    certain: bool = Field(description="whether no newer build was left undecided")
    builds: tuple[BuildRecord, ...] = Field(description="newest CUDA first")
    uv_auto: str | None = Field(
        description="what uv --torch-backend=auto takes; null if the driver's number is not known"
    )
    default_wheel_cuda: str | None = Field(
        description="CUDA of the wheel pip takes without an index; null for one without CUDA"
    )

    @classmethod
    def of(cls, backend: Backend, machine: Machine) -> TorchBackend:
        """Build the document."""
        return cls(
            torch=backend.release.text,
            platform=backend.platform,
            machine=MachineSummary.of(machine),
            path=backend.path,
            certain=backend.is_certain,
            builds=tuple(
                BuildRecord(
                    path=it.path,
                    cuda=str(it.build.cuda),
                    fits=it.fits,
                    reason=it.reason,
                    covers=tuple(map(str, it.covers)),
                )
                for it in backend.judged
            ),
            uv_auto=backend.uv,
            default_wheel_cuda=str(backend.default_wheel) if backend.default_wheel else None,
        )
