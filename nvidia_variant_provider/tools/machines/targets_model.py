"""The JSON document of ``targets``: machines by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from nvidia_variant_provider.targets.target import default_driver
from nvidia_variant_provider.tools.documents import JsonModel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.targets.devices import Device

SCHEMA_VERSION: Final = 1


class DriverRange(JsonModel):
    """The drivers of a device: branches, or on Jetson JetPack releases."""

    first_branch: int | None = Field(description="null on Jetson", examples=[520])
    last_branch: int | None = Field(description="null while the device is current, and on Jetson")
    jetpacks: tuple[str, ...] = Field(description="on Jetson only, oldest first")
    default: str | None = Field(
        description="assumed for a target without a driver; null if one must be named",
        examples=["driver branch R520"],
    )
    default_cuda: str | None = Field(examples=["11.8"])


class TargetModel(JsonModel):
    """One device that can be named."""

    name: str = Field(examples=["gh200"])
    aliases: tuple[str, ...]
    title: str
    chip: str | None = Field(description="null for a bare compute capability", examples=["GH100"])
    compute_capability: str = Field(examples=["9.0"])
    architectures: tuple[str, ...] = Field(description="of the CPU, the assumed one first")
    first_toolkit: str = Field(description="the first CUDA Toolkit that builds for it")
    tegra: bool
    drivers: DriverRange

    @classmethod
    def of(cls, device: Device) -> TargetModel:
        """Build the model of a device."""
        driver = default_driver(device)
        return cls(
            name=device.name,
            aliases=device.aliases,
            title=device.title,
            chip=device.chip or None,
            compute_capability=str(device.capability),
            architectures=device.architectures,
            first_toolkit=str(device.facts.first_toolkit),
            tegra=device.tegra,
            drivers=DriverRange(
                first_branch=device.first_branch,
                last_branch=device.last_branch,
                jetpacks=tuple(row.version for row in device.jetpacks),
                default=driver.words if driver else None,
                default_cuda=str(driver.cuda) if driver else None,
            ),
        )


class Targets(JsonModel):
    """The devices that were asked for."""

    schema_version: Literal[1] = 1
    targets: tuple[TargetModel, ...]

    @classmethod
    def of(cls, devices: Iterable[Device]) -> Targets:
        """Build the document."""
        return cls(targets=tuple(TargetModel.of(device) for device in devices))
