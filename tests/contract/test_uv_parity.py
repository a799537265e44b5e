"""Rule set 0 against the uv that people run, decision by decision.

uv tells nobody what it offers, so it is asked through installs: of a package with a null variant
and one that states a single property, uv takes the latter exactly if it offers the property; of
two variants that state one property each, it takes the one it prefers. Hundreds of such packages
are installed by one run.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import install_with_uv
from nvidia_variant_provider.model import (
    ComputeCapability,
    CudaVersion,
    Gpu,
    Machine,
    Platform,
    Status,
)
from nvidia_variant_provider.rules import decide
from nvidia_variant_provider.rules.catalogue import LOWER_BOUND, SM_ARCH, UPPER_BOUND, bound_values
from nvidia_variant_provider.tools.demo.wheels import NVIDIA, release_metadata, write_wheel
from nvidia_variant_provider.tools.metadata.model import Provider
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL, Preferences
from nvidia_variant_provider.tools.metadata.uv import uv_skips
from nvidia_variant_provider.tools.wheels.name import WheelName
from tests.slices import slice_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from nvidia_variant_provider.rules import Feature
    from nvidia_variant_provider.tools.metadata.model import Variant, VariantMetadata

pytestmark = pytest.mark.clients

FORCE_CUDA = "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION"
FORCE_SM = "NV_VARIANT_PROVIDER_FORCE_SM_ARCH"


def roomy(folder: str, room: int = 1 << 28) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > room


# Thousands of tiny files per run: in memory they cost a tenth.
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - private folders are made in it
MEMORY = SHARED_MEMORY if roomy(SHARED_MEMORY) else None

DRIVERS = [CudaVersion(major, minor) for major in range(11, 16) for minor in range(21)]
CAPABILITIES = [ComputeCapability(major, minor) for major in range(5, 13) for minor in range(10)]


@dataclass(frozen=True)
class Forced:
    """A machine as both variables state it."""

    cuda: str
    capability: str

    @property
    def settings(self) -> dict[str, str]:
        return {FORCE_CUDA: self.cuda, FORCE_SM: self.capability}

    @property
    def features(self) -> tuple[Feature, ...]:
        machine = Machine(
            Platform("linux", "x86_64", "glibc"),
            Status.PINNED,
            cuda=CudaVersion.parse(self.cuda),
            cuda_forced=True,
            gpus=(Gpu(capability=ComputeCapability.parse(self.capability)),),
        )
        return decide(machine, rule_set=0).features

    def __str__(self) -> str:
        return f"CUDA {self.cuda}, {self.capability}"


# Together they cover both ends of every list and each place where a major ends.
INSIDE = [
    Forced("11.0", "5.0"),
    Forced("11.8", "7.5"),
    Forced("11.20", "6.2"),
    Forced("12.0", "5.9"),
    Forced("12.7", "8.9"),
    Forced("13.0", "12.1"),
    Forced("13.19", "10.3"),
    Forced("14.1", "11.0"),
    Forced("15.0", "9.0"),
    Forced("15.20", "12.9"),
]
OUTSIDE = [
    Forced("10.2", "9.0"),
    Forced("12.25", "9.0"),
    Forced("17.3", "9.0"),
    Forced("12.8", "3.7"),
    Forced("12.8", "4.9"),
    Forced("12.8", "13.0"),
]
GRID = [
    Forced(str(cuda), str(CAPABILITIES[index * 7 % len(CAPABILITIES)]))
    for index, cuda in enumerate(DRIVERS)
]


class Packages:
    """A flat folder of small releases, named by number; every one has version 1."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variants: dict[str, dict[str, Variant]] = {}

    def add(self, variants: dict[str, Variant], metadata: VariantMetadata | None = None) -> str:
        """Write one release with these variants and the null variant; return its name."""
        name = f"p{len(self.variants)}"
        everything = {NULL_LABEL: {}, **variants}
        metadata = metadata or release_metadata(everything)
        for label in everything:
            write_wheel(
                self.folder, WheelName(name, "1", "", "py3", "none", "any", label), metadata
            )
        (self.folder / f"{name}-1-variants.json").write_text(metadata.to_json(), encoding="utf-8")
        self.variants[name] = everything
        return name

    def installed(self, machine: Forced) -> dict[str, str | None]:
        return self.installed_with(machine.settings)

    def installed_with(self, settings: Mapping[str, str]) -> dict[str, str | None]:
        requirements = [f"{name}==1" for name in self.variants]
        return install_with_uv(self.folder, requirements, settings, scratch_in=MEMORY)

    def predicted(self, machine: Forced) -> dict[str, str | None]:
        preferences = Preferences.build(("nvidia",), {"nvidia": machine.features})
        return {name: preferences.order(stated)[0] for name, stated in self.variants.items()}


def one(feature: str, value: str) -> Variant:
    return {"nvidia": {feature: (value,)}}


def single_properties() -> Iterator[tuple[str, str]]:
    """Every value of 0.0.x, what rule set 0 offers for each machine, and some it never offers."""
    for feature in (LOWER_BOUND, UPPER_BOUND):
        yield from ((feature, value) for value in bound_values())
    for capability in CAPABILITIES:
        yield from ((SM_ARCH, f"{capability.number}_{kind}") for kind in ("real", "virtual"))
    for value in ("90a_real", "100f_real", "90a_virtual", "49_real", "40_virtual", "130_virtual"):
        yield SM_ARCH, value
    for machine in (*INSIDE, *OUTSIDE):
        for it in machine.features:
            yield from ((it.name, value) for value in it.values)


def neighbours(machines: Iterable[Forced]) -> Iterator[tuple[str, str, str]]:
    for machine in machines:
        for it in machine.features:
            yield from ((it.name, better, worse) for better, worse in pairwise(it.values))


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    packages = Packages(tmp_path_factory.mktemp("probes"))
    for feature, value in dict.fromkeys(single_properties()):
        packages.add({"x": one(feature, value)})
    for feature, better, worse in dict.fromkeys(neighbours((*INSIDE, *OUTSIDE))):
        # The worse one has the label that would win a tie.
        packages.add({"b": one(feature, better), "a": one(feature, worse)})
    return packages


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """Releases like real ones, with random bounds and architectures."""
    packages = Packages(tmp_path_factory.mktemp("releases"))
    source = Random(825)  # noqa: S311 - repeatable, not secret
    bounds = [str(cuda) for cuda in DRIVERS] + ["11", "12", "13", "14", "15"]
    archs = [f"{it.number}_{kind}" for it in CAPABILITIES for kind in ("real", "virtual")]
    for _ in range(40):
        variants: dict[str, Variant] = {}
        for label in source.sample("abcdefghijkl", 10):
            stated = {
                LOWER_BOUND: (source.choice(bounds),),
                UPPER_BOUND: (source.choice(bounds),),
                SM_ARCH: tuple(sorted(source.sample(archs, 12))),
            }
            kept = source.sample(sorted(stated), source.randint(1, 3))
            variants[label] = {"nvidia": {feature: stated[feature] for feature in kept}}
        packages.add(variants)
    return packages


@pytest.mark.parametrize("machine", slice_of(INSIDE, every=4), ids=str)
def test_uv_offers_and_orders_what_rule_set_0_says(probes: Packages, machine: Forced) -> None:
    installed = probes.installed(machine)

    assert installed == probes.predicted(machine)
    # Neither everything nor nothing: the machine was seen.
    assert {"x", "b", NULL_LABEL} <= set(installed.values())


@pytest.mark.parametrize("machine", slice_of(GRID, every=6), ids=str)
def test_uv_chooses_what_rule_set_0_says(releases: Packages, machine: Forced) -> None:
    assert releases.installed(machine) == releases.predicted(machine)


@pytest.mark.parametrize("machine", OUTSIDE, ids=str)
def test_uv_outside_the_catalogue(probes: Packages, machine: Forced) -> None:
    assert probes.installed(machine) == probes.predicted(machine)


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({FORCE_CUDA: "580.65.06", FORCE_SM: "9.0"}, id="driver release"),
        pytest.param({FORCE_CUDA: "twelve", FORCE_SM: "9.0"}, id="word"),
        pytest.param({FORCE_CUDA: "12.8", FORCE_SM: "90"}, id="no dot"),
        pytest.param({FORCE_CUDA: "12.8", FORCE_SM: "9.0a"}, id="suffix"),
    ],
)
def test_malformed_override_switches_uv_off(tmp_path: Path, settings: dict[str, str]) -> None:
    """Where our plugin raises an error, uv installs the CPU build without a word."""
    packages = Packages(tmp_path)
    packages.add({"x": one(LOWER_BOUND, "12.0")})

    assert packages.installed_with(settings) == {"p0": NULL_LABEL}


ENTRIES = [
    pytest.param(NVIDIA, id="usual"),
    pytest.param(replace(NVIDIA, requires=("nvidia-variant-provider",)), id="open"),
    pytest.param(replace(NVIDIA, requires=("nvidia-variant-provider>=0.0.2,<1",)), id="newer"),
    pytest.param(replace(NVIDIA, requires=("nvidia_variant_provider",)), id="name"),
    pytest.param(replace(NVIDIA, requires=("provider",)), id="other name"),
    pytest.param(replace(NVIDIA, plugin_api=None), id="no endpoint"),
    pytest.param(replace(NVIDIA, plugin_api="nvidia_variant_provider.plugin"), id="module"),
    pytest.param(
        replace(NVIDIA, plugin_api="nvidia_variant_provider.plugin : NvidiaVariantPlugin"),
        id="spaces",
    ),
    pytest.param(replace(NVIDIA, optional=True), id="optional"),
    pytest.param(replace(NVIDIA, requires=("nvidia-variant-provider[x]",)), id="extra"),
    pytest.param(
        replace(NVIDIA, requires=("nvidia-variant-provider; python_version >= '3'",)),
        id="marker",
    ),
    pytest.param(replace(NVIDIA, requires=("nvidia-variant-provider", "more")), id="two"),
    pytest.param(Provider(static_properties={LOWER_BOUND: ("12.0",)}), id="static"),
]


@pytest.mark.parametrize("provider", ENTRIES)
def test_uv_skips_the_entries_we_say_it_skips(tmp_path: Path, provider: Provider) -> None:
    variants: dict[str, Variant] = {NULL_LABEL: {}, "x": one(LOWER_BOUND, "12.0")}
    metadata = replace(release_metadata(variants), providers={"nvidia": provider})
    packages = Packages(tmp_path)
    packages.add({"x": one(LOWER_BOUND, "12.0")}, metadata)

    installed = packages.installed(Forced("12.8", "9.0"))

    assert installed == {"p0": NULL_LABEL if uv_skips(provider) else "x"}
