"""The JSON document of ``torch-backend``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nvidia_variant_provider.tools.documents import JsonModel
from nvidia_variant_provider.tools.machines.properties_model import MachineSummary

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.torch.answer import TorchAnswer
    from nvidia_variant_provider.tools.torch.backend import Backend, Judgement


class BuildModel(JsonModel):
    """One CUDA build of the release for the platform."""

    path: str = Field(examples=["cu126"])
    cuda: str = Field(examples=["12.6"])
    fits: bool | None = Field(description="null where it cannot be told")
    reason: str
    covers: tuple[str, ...] = Field(description="the machine's capabilities it has code for")
    oldest_driver: str = Field(examples=["525.60.13"])
    device_code: str = Field(
        description="what it was compiled for, +PTX behind a target whose PTX is in the wheel",
        examples=["75 80 86 90 100 120+PTX"],
    )
    source: str = Field(description="of the device code")
    confidence: str = Field(examples=["measured", "source", "reported", "unverified"])

    @classmethod
    def of(cls, judged: Judgement) -> BuildModel:
        """Build the model of a judged build."""
        return cls(
            path=judged.path,
            cuda=str(judged.build.cuda),
            fits=judged.fits,
            reason=judged.reason,
            covers=tuple(map(str, judged.covers)),
            oldest_driver=str(judged.oldest_driver),
            device_code=judged.build.archs,
            source=judged.build.source,
            confidence=judged.build.confidence.value,
        )


class OtherTorch(JsonModel):
    """The nearest release with a build that fits."""

    torch: str = Field(examples=["2.7.1"])
    path: str = Field(examples=["cu118"])

    @classmethod
    def of(cls, backend: Backend | None) -> OtherTorch | None:
        """Build the model; ``None`` where there is no such release."""
        if backend is None or backend.chosen is None:
            return None
        return cls(torch=backend.release.text, path=backend.chosen.path)


class TorchBackend(JsonModel):
    """The build that fits a machine, and the others."""

    schema_version: Literal[1] = 1
    torch: str = Field(examples=["2.14.1"])
    platform: str = Field(examples=["linux-x86_64"])
    machine: MachineSummary
    assumed: tuple[str, ...] = Field(description="what was assumed, in sentences")
    path: str = Field(
        description="last part of the index address; no-build where no build fits the GPU",
        examples=["cu126", "cpu", "no-build"],
    )
    url: str | None = Field(description="the full address; null where no build fits")
    certain: bool = Field(description="whether no newer build was left undecided")
    builds: tuple[BuildModel, ...] = Field(description="newest CUDA first")
    other: OtherTorch | None = Field(description="another torch with a build that fits")
    jetson_index: str | None = Field(description="NVIDIA's index for a Jetson without a build")
    torchvision: str | None = Field(description="the version that pairs; null if not known")
    torchaudio: str | None = Field(description="the same; its last release is 2.11.0")
    uv_auto: str | None = Field(
        description="what uv --torch-backend=auto takes; null if the driver's number is not known"
    )
    default_wheel_cuda: str | None = Field(
        description="CUDA of the wheel pip takes without an index; null for one without CUDA"
    )

    @classmethod
    def of(cls, answer: TorchAnswer, assumed: tuple[str, ...]) -> TorchBackend:
        """Build the document; ``assumed`` is what was assumed of torch."""
        backend, machine = answer.backend, MachineSummary.of(answer.machine)
        pair = answer.partners
        return cls(
            torch=backend.release.text,
            platform=backend.platform,
            machine=machine,
            assumed=(*machine.assumed, *assumed),
            path=answer.path,
            url=answer.address,
            certain=backend.is_certain,
            builds=tuple(map(BuildModel.of, backend.judged)),
            other=OtherTorch.of(answer.other),
            jetson_index=answer.jetson.address if answer.jetson else None,
            torchvision=pair.torchvision,
            torchaudio=pair.torchaudio,
            uv_auto=backend.uv,
            default_wheel_cuda=str(backend.default_wheel) if backend.default_wheel else None,
        )
