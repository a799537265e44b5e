"""The tables behind the rules as one JSON document, for those who re-implement the namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, Field

from nvidia_variant_provider import __version__
from nvidia_variant_provider.rules import catalogue
from nvidia_variant_provider.rules.catalogue import same_device, sm_archs
from nvidia_variant_provider.rules.device_code import runnable
from nvidia_variant_provider.tables import driver_branches, pci_ids, products, torch_builds
from nvidia_variant_provider.tables.cuda_indexes import TORCH_INDEX
from nvidia_variant_provider.tables.memory import DISPLAY_GPU_MIB, DISPLAY_GPU_SHARE
from nvidia_variant_provider.tables.names import all_names
from nvidia_variant_provider.tables.sm_archs import (
    FIRST_CAPABILITY_OF_CUDA_13,
    LAST_CUDA_12,
    TEGRA_CAPABILITIES,
    TEGRA_JOINS_DESKTOP,
)
from nvidia_variant_provider.targets.devices import generation
from nvidia_variant_provider.targets.devices import products as named_products
from nvidia_variant_provider.tools.documents import JsonModel
from nvidia_variant_provider.tools.machines.targets_model import TargetModel
from nvidia_variant_provider.tools.torch import builds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tables.names import NamedGpu


class Licence(JsonModel):
    """Under which licence a part of the document may be used, and where it comes from."""

    parts: tuple[str, ...]
    licence: str = Field(examples=["BSD-3-Clause"])
    source: str


class CatalogueFeature(JsonModel):
    """A feature with every valid value, in the order of ``get_all_configs``."""

    name: str
    multi_value: bool
    values: tuple[str, ...]


class SmTarget(JsonModel):
    """What a compiler calls ``sm_90a``: the stem of the values ``90a_real`` and ``90a_virtual``."""

    target: str = Field(examples=["90a"])
    compute_capability: str = Field(examples=["9.0"])
    suffix: str = Field(pattern="^[af]?$")
    device: str = Field(description="the capability under its present name: 11.0 for 101")
    tegra_island: bool = Field(description="its plain cubins do not mix with desktop parts")


class Capability(JsonModel):
    """A compute capability of real devices, and the device code that runs on it, best first."""

    compute_capability: str
    generation: str = Field(examples=["Hopper"])
    first_toolkit: str = Field(description="the first CUDA Toolkit that builds for it")
    tegra: bool
    last_branch: int | None = Field(description="the last driver branch; null while current")
    sm_arch: tuple[str, ...] = Field(description="its supported values under rule set 1")
    sm_arch_from_tegra_mixing: tuple[str, ...] | None = Field(
        description="the same once the stack mixes Tegra and desktop; null if nothing changes"
    )


class Constants(JsonModel):
    """The single numbers of rule set 1."""

    tegra_mixes_from_cuda: str
    first_capability_of_cuda_13: str
    counts_as_below_it: str = Field(description="the version that counts where no GPU reaches it")
    display_gpu_mib: int = Field(description="a GPU with more memory always counts")
    display_gpu_share: int = Field(description="so many times its memory must reach the largest's")
    default_driver_branch: int = Field(description="assumed where a target names no driver")


class Chip(JsonModel):
    """A chip on the PCI bus."""

    name: str = Field(examples=["GH100"])
    compute_capability: str
    integrated: bool
    pci_ids: tuple[str, ...] = Field(description="device ids of vendor 10de, in hexadecimal")


class Block(JsonModel):
    """A range of device ids in which every known one is of one chip."""

    first: str = Field(examples=["2900"])
    last: str
    chip: str


class ProductNames(JsonModel):
    """The names under which products with a chip are known, as drivers print them."""

    chip: str = Field(examples=["AD102"])
    compute_capability: str
    names: tuple[str, ...] = Field(examples=[("GeForce RTX 4090",)])
    first_branches: dict[str, int] = Field(
        description="of names that are newer than driver branch R515: the first that has them"
    )


class Branch(JsonModel):
    """A driver branch and the newest CUDA its user-mode driver supports."""

    branch: int
    cuda: str


class JetPackRelease(JsonModel):
    """A JetPack release; ``driver`` is Tegra's own branch, null where no machine showed it."""

    version: str
    cuda: str
    compute_capabilities: tuple[str, ...]
    driver: int | None
    jetson_linux: str = Field(description="its first release of Jetson Linux", examples=["36.4.3"])


class TorchBuildData(JsonModel):
    """A CUDA build of a torch release for a platform, as a variant would state it."""

    release: str = Field(examples=["2.14.1"])
    platform: str = Field(examples=["linux-x86_64"])
    label: str = Field(description="the folder of PyTorch's index", examples=["cu126"])
    cuda: str = Field(description="the CUDA Toolkit version it was built with")
    lower_bound: str = Field(description="by minor-version compatibility", examples=["12.0"])
    sm_archs: tuple[str, ...] = Field(
        description="its device code; a driver older than ``cuda`` cannot read its PTX",
        examples=[("75_real", "120_virtual")],
    )
    confidence: str = Field(examples=["measured", "source"])


class NvidiaData(JsonModel):
    """Everything the rules look up. ``schema_version`` changes if a key changes its meaning."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"$id": "urn:nvidia-variant-provider:schema:nvidia-data:1"},
    )

    schema_version: Literal[1] = 1
    provider_version: str = __version__
    licences: tuple[Licence, ...]
    constants: Constants
    catalogue: tuple[CatalogueFeature, ...]
    sm_targets: tuple[SmTarget, ...]
    capabilities: tuple[Capability, ...]
    chips: tuple[Chip, ...]
    pci_blocks: tuple[Block, ...]
    driver_branches: tuple[Branch, ...]
    jetpacks: tuple[JetPackRelease, ...]
    targets: tuple[TargetModel, ...]
    product_names: tuple[ProductNames, ...]
    torch_index: str = Field(description="PyTorch's own index; below it a folder for each label")
    torch_builds: tuple[TorchBuildData, ...]

    @classmethod
    def build(cls, pci_source: str, pci_licence: str) -> NvidiaData:
        """Gather the tables; the source and licence of the PCI ids are those of their file."""
        return cls(
            licences=_licences(pci_source, pci_licence),
            constants=Constants(
                tegra_mixes_from_cuda=str(TEGRA_JOINS_DESKTOP),
                first_capability_of_cuda_13=str(FIRST_CAPABILITY_OF_CUDA_13),
                counts_as_below_it=str(LAST_CUDA_12),
                display_gpu_mib=DISPLAY_GPU_MIB,
                display_gpu_share=DISPLAY_GPU_SHARE,
                default_driver_branch=driver_branches.DEFAULT_BRANCH,
            ),
            catalogue=tuple(
                CatalogueFeature(
                    name=feature.name, multi_value=feature.multi_value, values=feature.values
                )
                for feature in catalogue()
            ),
            sm_targets=_sm_targets(),
            capabilities=tuple(_capability(row) for row in products.CAPABILITIES),
            chips=tuple(
                Chip(
                    name=name,
                    compute_capability=capability,
                    integrated=integrated,
                    pci_ids=tuple(ids.split()),
                )
                for name, (capability, integrated, ids) in pci_ids.CHIPS.items()
            ),
            pci_blocks=tuple(
                Block(first=f"{first:04x}", last=f"{last:04x}", chip=chip)
                for first, last, chip in pci_ids.BLOCKS
            ),
            driver_branches=tuple(
                Branch(branch=branch, cuda=str(cuda)) for branch, cuda in driver_branches.BRANCHES
            ),
            jetpacks=tuple(_jetpack(row) for row in products.JETPACKS),
            targets=tuple(TargetModel.of(device) for device in named_products()),
            product_names=tuple(_product_names()),
            torch_index=TORCH_INDEX,
            torch_builds=tuple(_torch_builds()),
        )


def _licences(pci_source: str, pci_licence: str) -> tuple[Licence, ...]:
    ours = ("constants", "catalogue", "sm_targets", "capabilities")
    tables = ("driver_branches", "jetpacks", "targets", "product_names", "torch_index")
    return (
        Licence(
            parts=("chips", "pci_blocks"),
            licence="BSD-3-Clause",
            source=f"{pci_source}; {pci_licence}",
        ),
        Licence(
            parts=(*ours, *tables, "torch_builds"),
            licence="Apache-2.0",
            source="this project; docs/properties.md and the tables name the source of each fact",
        ),
    )


def _product_names() -> Iterator[ProductNames]:
    by_chip: dict[str, list[NamedGpu]] = {}
    for gpu in all_names():
        by_chip.setdefault(gpu.chip, []).append(gpu)
    for chip, gpus in by_chip.items():
        yield ProductNames(
            chip=chip,
            compute_capability=str(gpus[0].capability),
            names=tuple(gpu.title for gpu in gpus),
            first_branches={gpu.title: gpu.first_branch for gpu in gpus if gpu.first_branch},
        )


def _sm_targets() -> tuple[SmTarget, ...]:
    return tuple(
        SmTarget(
            target=arch.target,
            compute_capability=str(arch.capability),
            suffix=arch.suffix,
            device=str(same_device(arch.capability)),
            tegra_island=arch.capability in TEGRA_CAPABILITIES,
        )
        for arch in sm_archs()
        if not arch.virtual
    )


def _torch_builds() -> Iterator[TorchBuildData]:
    for release in map(builds.find_release, torch_builds.RELEASES):
        for platform in torch_builds.PLATFORMS:
            for row in builds.builds_of(release, platform):
                yield TorchBuildData(
                    release=release.text,
                    platform=platform,
                    label=builds.index_path(row.cuda),
                    cuda=str(row.cuda),
                    lower_bound=f"{row.cuda.major}.0",
                    sm_archs=tuple(map(str, builds.archs_of(row))),
                    confidence=row.confidence.value,
                )


def _capability(row: products.CapabilityFacts) -> Capability:
    before = tuple(map(str, runnable(row.capability, None)))
    after = tuple(map(str, runnable(row.capability, TEGRA_JOINS_DESKTOP)))
    last = None if row.tegra else driver_branches.last_branch_for(row.capability)
    return Capability(
        compute_capability=str(row.capability),
        generation=generation(row.capability),
        first_toolkit=str(row.first_toolkit),
        tegra=row.tegra,
        last_branch=last,
        sm_arch=before,
        sm_arch_from_tegra_mixing=after if after != before else None,
    )


def _jetpack(row: products.JetPack) -> JetPackRelease:
    return JetPackRelease(
        version=row.version,
        cuda=str(row.cuda),
        compute_capabilities=tuple(map(str, sorted(row.capabilities))),
        driver=int(row.driver.partition(".")[0]) if row.driver else None,
        jetson_linux=row.linux,
    )
