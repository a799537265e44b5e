"""Which build each machine would get: the releases' variants over a grid of GPUs and drivers.

The machines are those that exist: each capability of the tables with the drivers from the first
that knew it to the last that supports it.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider import rules
from nvidia_variant_provider.model import ComputeCapability, CudaVersion, Gpu, Machine, Status
from nvidia_variant_provider.model import Platform as Surroundings
from nvidia_variant_provider.rules.catalogue import (
    NEWEST_CUDA,
    OLDEST_CUDA,
    SM_ARCH,
    UPPER_BOUND,
    bound_values,
)
from nvidia_variant_provider.rules.verdict import Feature
from nvidia_variant_provider.tables.driver_branches import BRANCHES, cuda_of_branch, last_branch_for
from nvidia_variant_provider.tables.pci import all_chips
from nvidia_variant_provider.tables.products import CAPABILITIES, JETPACKS
from nvidia_variant_provider.targets.devices import of_capability, products
from nvidia_variant_provider.tools.installers.table import EXPLAINED
from nvidia_variant_provider.tools.metadata.document import NVIDIA_NAMESPACE
from nvidia_variant_provider.tools.metadata.ordering import Preferences
from nvidia_variant_provider.tools.parsed import mapping, texts
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nvidia_variant_provider.targets.devices import Device
    from nvidia_variant_provider.tools.metadata.as_written import Document
    from nvidia_variant_provider.tools.metadata.ordering import Properties
    from nvidia_variant_provider.tools.releases.lenient import LenientView


@dataclass(frozen=True, slots=True)
class Generation:
    """A capability, and the drivers that support it.

    ``product`` is one that has it, empty where none is named; ``on_arm_only`` is true of GPUs in
    one package with an Arm CPU.
    """

    capability: ComputeCapability
    product: str
    since: CudaVersion
    until: CudaVersion = NEWEST_CUDA
    on_arm_only: bool = False


def _generations() -> Iterator[Generation]:
    """Yield every known capability that some driver for variants supports, oldest first."""
    titles, integrated = _titles(), _integrated()
    for row in CAPABILITIES:
        device = of_capability(row.capability)
        since, until = max(_first_cuda(device), OLDEST_CUDA), _last_cuda(device)
        if until is not None and since <= until:
            on_arm = row.tegra or row.capability in integrated
            title = titles.get(row.capability, "")
            yield Generation(row.capability, title, since, until, on_arm_only=on_arm)


def _first_cuda(device: Device) -> CudaVersion:
    return device.jetpacks[0].cuda if device.jetpacks else device.facts.first_toolkit


def _last_cuda(device: Device) -> CudaVersion | None:
    """Return the last CUDA driver version for a device; ``None`` where variants met no driver."""
    if not device.tegra:
        last = device.last_branch and cuda_of_branch(device.last_branch)
        return last or NEWEST_CUDA
    if not device.jetpacks:
        return NEWEST_CUDA if last_branch_for(device.capability) is None else None
    if device.jetpacks[-1] == JETPACKS[-1]:
        return NEWEST_CUDA
    # A JetPack takes later CUDA versions of its major.
    major = device.jetpacks[-1].cuda.major
    return max(cuda for _, cuda in BRANCHES if cuda.major == major)


def _titles() -> dict[ComputeCapability, str]:
    """Return each capability's first product, one for a slot of an ordinary computer if any is."""
    titles: dict[ComputeCapability, str] = {}
    for product in sorted(products(), key=lambda product: "x86_64" not in product.architectures):
        titles.setdefault(product.capability, product.title)
    return titles


def _integrated() -> set[ComputeCapability]:
    """Return the capabilities whose chips all share a package with a CPU."""
    chips = list(all_chips())
    alone = {chip.capability for chip in chips if not chip.integrated}
    return {chip.capability for chip in chips} - alone


GENERATIONS: Final = tuple(_generations())

# Releases have a dozen variants. So many take half a minute on all machines, and 100 MB.
MAX_LABELS: Final = 5000

RULE_SETS: Final = {
    installer.rules: installer.called for installer in EXPLAINED if installer.rules is not None
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What one machine would get: the compatible labels, best first, without null.

    ``archs`` gives each label's best value of ``sm_arch``, or ""; ``tied`` says that nothing but
    the label parts the first two.
    """

    family: str
    rule_set: int
    generation: Generation
    cuda: CudaVersion
    labels: tuple[str, ...]
    archs: Mapping[str, str]
    tied: bool

    def __str__(self) -> str:
        on = f"{self.family}, " if self.family else ""
        return f"{on}capability {self.generation.capability}, CUDA {self.cuda}"


@lru_cache(maxsize=1)  # every check of NV5xx asks for the same release in turn
def choices_everywhere(release: LenientView) -> tuple[Choice, ...]:
    """Return the choice of every machine of the grid, for each family of platforms.

    Empty for a release with nothing to choose, or with more labels than can be looked at.
    """
    document = release.reference
    if document is None or len(release.variants) > MAX_LABELS:
        return ()
    if not any(NVIDIA_NAMESPACE in properties for properties in release.variants.values()):
        return ()
    variants = {
        label: properties
        for label, properties in release.variants.items()
        if _answered(document, properties)
    }
    stated = {name: _stated(variants, name) for name in _features(variants)}
    return tuple(
        _choose(document, family, labels, machine, stated)
        for family, labels in _families(release, variants).items()
        for machine in _grid(family, stated)
    )


@dataclass(frozen=True, slots=True)
class _Point:
    rule_set: int
    generation: Generation
    cuda: CudaVersion


def _grid(family: str, stated: Mapping[str, frozenset[str]]) -> Iterator[_Point]:
    known = frozenset(bound_values())
    bounds = {CudaVersion.parse(value) for values in stated.values() for value in values & known}
    for rule_set in RULE_SETS:
        for generation in GENERATIONS:
            if generation.on_arm_only and family and "aarch64" not in family:
                continue
            within = {bound for bound in bounds if generation.since <= bound <= generation.until}
            for cuda in sorted(within | {generation.since, generation.until}):
                yield _Point(rule_set, generation, cuda)


def _choose(
    document: Document,
    family: str,
    variants: Mapping[str, Properties],
    point: _Point,
    stated: Mapping[str, frozenset[str]],
) -> Choice:
    decided = _decide(point.generation.capability, point.cuda, point.rule_set)
    # Only what is stated can be chosen, and the whole catalogue is long.
    offers: dict[str, Sequence[Feature]] = {
        NVIDIA_NAMESPACE: [_narrowed(feature, stated) for feature in decided]
    }
    for namespace in document.namespaces:
        if static := tuple(_static(document, namespace)):
            offers[namespace] = static
    namespaces = tuple(dict.fromkeys(document.namespaces))
    preferences = Preferences.build(namespaces, offers)
    labels = tuple(label for label in preferences.order(variants) if variants[label])
    best = labels[:2]
    tied = len(best) > 1 and preferences.deciding(*(variants[label] for label in best)) is None
    archs = {label: _arch(preferences, variants[label]) for label in labels}
    return Choice(family, point.rule_set, point.generation, point.cuda, labels, archs, tied)


@cache
def _decide(capability: ComputeCapability, cuda: CudaVersion, rule_set: int) -> tuple[Feature, ...]:
    machine = Machine(
        Surroundings("linux", ""), Status.OK, cuda=cuda, gpus=(Gpu(capability=capability),)
    )
    return rules.decide(machine, rule_set).features


def upper_bounds_met(generation: Generation) -> frozenset[str]:
    """Return the upper bounds that a GPU with the newest driver for it still meets."""
    features = _decide(generation.capability, generation.until, rules.DEFAULT_RULES)
    return frozenset(
        value for feature in features if feature.name == UPPER_BOUND for value in feature.values
    )


def _narrowed(feature: Feature, stated: Mapping[str, frozenset[str]]) -> Feature:
    wanted = stated.get(feature.name, frozenset())
    values = tuple(value for value in feature.values if value in wanted)
    return Feature(feature.name, values, feature.multi_value)


def _static(document: Document, namespace: str) -> Iterator[Feature]:
    provider = document.providers.get(namespace, {})
    features = mapping(provider.get("static-properties"))
    order = dict.fromkeys((*texts(provider.get("feature-order")), *features))
    for name in order:
        values = tuple(dict.fromkeys(texts(features.get(name))))
        yield Feature(name, values, multi_value=True)


def _arch(preferences: Preferences, variant: Properties) -> str:
    return next(
        (place.value for place in preferences.places(variant) if place.feature == SM_ARCH), ""
    )


def _answered(document: Document, variant: Properties) -> bool:
    """Tell whether the grid can judge a variant: ``nvidia`` and static namespaces only."""
    return all(
        namespace == NVIDIA_NAMESPACE
        or mapping(document.providers.get(namespace, {}).get("static-properties"))
        for namespace in variant
    )


def _features(variants: Mapping[str, Properties]) -> set[str]:
    return {
        feature
        for properties in variants.values()
        for feature in properties.get(NVIDIA_NAMESPACE, {})
    }


def _stated(variants: Mapping[str, Properties], feature: str) -> frozenset[str]:
    stated = (
        properties.get(NVIDIA_NAMESPACE, {}).get(feature, ()) for properties in variants.values()
    )
    return frozenset(value for values in stated for value in values)


def _families(
    release: LenientView, variants: Mapping[str, Properties]
) -> Mapping[str, Mapping[str, Properties]]:
    """Sort the labels by the platforms their wheels are for; without wheels they meet all."""
    families: dict[str, dict[str, Properties]] = {}
    anywhere: set[str] = set()
    for wheel in release.variant_wheels:
        label = wheel.name.label
        if label not in variants:
            continue
        for family in family_names(wheel.name.platforms):
            if family:
                families.setdefault(family, {})[label] = variants[label]
            else:
                anywhere.add(label)
    if not families:
        return {"": variants}
    for labels in families.values():
        labels.update({label: variants[label] for label in anywhere})
    return families


def family_names(platforms: Iterable[str]) -> frozenset[str]:
    """Return the families of platform tags: "linux x86_64", "linux aarch64", "win amd64".

    ``any`` is in no family: its name is "".
    """
    families = set()
    for tag in platforms:
        system = "linux" if "linux" in tag else tag.partition("_")[0]
        machine = next(
            (
                architecture
                for architecture in ("x86_64", "aarch64", "amd64", "arm64")
                if tag.endswith(architecture)
            ),
            "other",
        )
        families.add("" if tag == "any" else f"{system} {machine}")
    return frozenset(families)
