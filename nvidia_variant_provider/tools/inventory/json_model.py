"""What ``inventory --json`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from nvidia_variant_provider.tools.documents import JsonModel

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.inventory.resolve import KnownMachine
    from nvidia_variant_provider.tools.inventory.summary import Counted, Summary

SCHEMA_VERSION: Final = 1


class GpuModel(JsonModel):
    """GPUs of one kind in a machine."""

    name: str | None = Field(description="as the source writes it", examples=["NVIDIA L4"])
    capability: str | None = Field(
        description="stated, or by the name; null where unknown", examples=["8.9"]
    )
    count: int | None = Field(description="null where the source does not tell")


class InventoryMachineModel(JsonModel):
    """Equal machines."""

    count: int | None = Field(description="null for a list of machine types")
    example: str = Field(description="the name of one of them, if any was named")
    gpus: list[GpuModel]
    driver: str | None = Field(
        description="driver release as stated; null where it is not: a guess is in assumed",
        examples=["580.65.06"],
    )
    cuda_driver_version: str | None = Field(
        description="what counts: stated, by the driver, or assumed", examples=["13.0"]
    )
    architecture: str | None = Field(description="of the CPU; null where not stated")
    system: str = Field(description="as sys.platform", examples=["linux", "win32"])
    no_driver: str = Field(description="why no driver can be used; empty if one can")
    assumed: list[str] = Field(
        description="every guess by name", examples=[["driver: R580, the default"]]
    )

    @classmethod
    def of(cls, counted: Counted) -> InventoryMachineModel:
        """Build the part of equal machines."""
        machine = counted.machine
        return cls(
            count=counted.count,
            example=counted.example,
            gpus=[
                GpuModel(
                    name=gpu.name or None,
                    capability=str(gpu.capability) if gpu.capability else None,
                    count=gpu.number,
                )
                for gpu in machine.gpus
            ],
            driver=machine.driver or None,
            cuda_driver_version=_cuda(machine),
            architecture=machine.stated_architecture or None,
            system=machine.system,
            no_driver=machine.reason if machine.gpus else "",
            assumed=[guess.text for guess in machine.assumed],
        )


def _cuda(machine: KnownMachine) -> str | None:
    return str(machine.cuda) if machine.cuda and machine.gpus else None


class InventoryModel(JsonModel):
    """The machines that an inventory was understood to describe."""

    schema_version: Literal[1]
    machines: list[InventoryMachineModel]
    invalid: int = Field(description="entries that could not be read, and were left out")

    @classmethod
    def of(cls, summary: Summary) -> InventoryModel:
        """Build the document."""
        machines = [InventoryMachineModel.of(counted) for counted in summary.machines]
        return cls(schema_version=SCHEMA_VERSION, machines=machines, invalid=summary.invalid)
