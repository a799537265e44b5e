"""Products by name, what a compute capability needs from toolkits, and Jetson's software releases.

Sources: chip of a product from NVIDIA's CUDA GPU pages and pci.ids 2026.10.24 (VR200 from public
reports); first toolkit of a capability from the ``--help`` of ptxas 11.2 to 13.5 and, before 11.2,
from CMake's, Meson's and LLVM's lists and PTX's release history; first driver branch of a product
from the names in NVIDIA/open-gpu-kernel-modules, 515.43.04 to 595.45.04; JetPack rows from
NVIDIA's "CUDA for Tegra" application note 13.4, chapter 8, and for driver numbers from public
banners. The CPU architectures are those a product is sold with; a board for a slot names x86_64
first, as most hosts are.
docs/tables.md says how to add a row; tests/test_targets.py holds the invariants.
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from nvidia_variant_provider.model import ComputeCapability, CudaVersion
from nvidia_variant_provider.tables.sm_archs import FIRST_CAPABILITY_OF_CUDA_13

_X86: Final = ("x86_64",)
_ARM: Final = ("aarch64",)
_BOTH: Final = ("x86_64", "aarch64")


class Product(NamedTuple):
    """A product: its name in targets, NVIDIA's name, the chip, CPU architectures, other names.

    ``first_branch`` is the first driver branch that lists the product, where that is later than
    the first that knows its compute capability; else 0.
    """

    name: str
    title: str
    chip: str
    architectures: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    first_branch: int = 0


PRODUCTS: Final = (
    # Data centre, newest first.
    Product("vera-rubin", "Vera Rubin (VR200)", "GR100", _ARM, ("vr200",)),
    Product("gb300", "GB300 Grace Blackwell Ultra", "GB110", _ARM, first_branch=580),
    Product("b300", "B300", "GB110", _X86, first_branch=580),
    Product("gb200", "GB200 Grace Blackwell", "GB100", _ARM),
    Product("b200", "B200", "GB100", _X86),
    Product("gh200", "GH200 Grace Hopper", "GH100", _ARM, ("grace-hopper",), first_branch=535),
    Product("h200", "H200", "GH100", _BOTH, first_branch=550),
    Product("h100", "H100", "GH100", _BOTH),
    Product("h800", "H800", "GH100", _X86, first_branch=525),
    Product("h20", "H20", "GH100", _X86, first_branch=535),
    Product("l40s", "L40S", "AD102", _BOTH, first_branch=535),
    Product("l40", "L40", "AD102", _BOTH, first_branch=525),
    Product("l20", "L20", "AD102", _X86, first_branch=535),
    Product("l4", "L4", "AD104", _BOTH, first_branch=525),
    Product("l2", "L2", "AD104", _X86, first_branch=535),
    Product("a100", "A100", "GA100", _BOTH),
    Product("a800", "A800", "GA100", _X86),
    Product("a30", "A30", "GA100", _BOTH),
    Product("a40", "A40", "GA102", _BOTH),
    Product("a10", "A10", "GA102", _BOTH),
    Product("a10g", "A10G", "GA102", _X86),
    Product("a16", "A16", "GA107", _BOTH),
    Product("a2", "A2", "GA107", _BOTH),
    Product("t4", "Tesla T4", "TU104", _BOTH),
    Product("v100", "Tesla V100", "GV100", _X86),
    Product("p100", "Tesla P100", "GP100", _X86),
    Product("p40", "Tesla P40", "GP102", _X86),
    Product("p4", "Tesla P4", "GP104", _X86),
    Product("m60", "Tesla M60", "GM204", _X86),
    Product("m40", "Tesla M40", "GM200", _X86),
    # Workstations.
    Product("rtx-pro-6000", "RTX PRO 6000 Blackwell", "GB202", _BOTH, ("rtx-pro-6000-blackwell",)),
    Product("rtx-pro-5000", "RTX PRO 5000 Blackwell", "GB202", _BOTH),
    Product("rtx-pro-4500", "RTX PRO 4500 Blackwell", "GB203", _BOTH),
    Product("rtx-pro-4000", "RTX PRO 4000 Blackwell", "GB203", _BOTH),
    Product("rtx-pro-2000", "RTX PRO 2000 Blackwell", "GB206", _BOTH),
    Product("rtx-6000-ada", "RTX 6000 Ada Generation", "AD102", _BOTH, first_branch=525),
    Product("rtx-4000-ada", "RTX 4000 Ada Generation", "AD104", _BOTH, first_branch=535),
    Product("rtx-2000-ada", "RTX 2000 Ada Generation", "AD107", _BOTH, first_branch=550),
    Product("rtx-a6000", "RTX A6000", "GA102", _BOTH),
    Product("rtx-a4000", "RTX A4000", "GA104", _BOTH),
    Product("rtx-a2000", "RTX A2000", "GA106", _BOTH),
    Product("quadro-rtx-6000", "Quadro RTX 6000", "TU102", _X86),
    Product("titan-rtx", "TITAN RTX", "TU102", _X86),
    Product("titan-v", "TITAN V", "GV100", _X86),
    # GeForce.
    Product("rtx-5090", "GeForce RTX 5090", "GB202", _X86),
    Product("rtx-5080", "GeForce RTX 5080", "GB203", _X86),
    Product("rtx-5070-ti", "GeForce RTX 5070 Ti", "GB203", _X86),
    Product("rtx-5070", "GeForce RTX 5070", "GB205", _X86),
    Product("rtx-5060-ti", "GeForce RTX 5060 Ti", "GB206", _X86),
    Product("rtx-5060", "GeForce RTX 5060", "GB206", _X86),
    Product("rtx-5050", "GeForce RTX 5050", "GB207", _X86),
    Product("rtx-4090", "GeForce RTX 4090", "AD102", _X86),
    Product("rtx-4080", "GeForce RTX 4080", "AD103", _X86, first_branch=525),
    Product("rtx-4070", "GeForce RTX 4070", "AD104", _X86, first_branch=525),
    Product("rtx-4060-ti", "GeForce RTX 4060 Ti", "AD106", _X86, first_branch=525),
    Product("rtx-4060", "GeForce RTX 4060", "AD107", _X86, first_branch=525),
    Product("rtx-3090", "GeForce RTX 3090", "GA102", _X86),
    Product("rtx-3080", "GeForce RTX 3080", "GA102", _X86),
    Product("rtx-3070", "GeForce RTX 3070", "GA104", _X86),
    Product("rtx-3060", "GeForce RTX 3060", "GA106", _X86),
    Product("rtx-2080-ti", "GeForce RTX 2080 Ti", "TU102", _X86),
    Product("rtx-2080", "GeForce RTX 2080", "TU104", _X86),
    Product("rtx-2070", "GeForce RTX 2070", "TU106", _X86),
    Product("rtx-2060", "GeForce RTX 2060", "TU106", _X86),
    Product("gtx-1660", "GeForce GTX 1660", "TU116", _X86),
    Product("gtx-1650", "GeForce GTX 1650", "TU117", _X86),
    Product("gtx-1080-ti", "GeForce GTX 1080 Ti", "GP102", _X86),
    Product("gtx-1080", "GeForce GTX 1080", "GP104", _X86),
    Product("gtx-1070", "GeForce GTX 1070", "GP104", _X86),
    Product("gtx-1060", "GeForce GTX 1060", "GP106", _X86),
    Product("gtx-1050-ti", "GeForce GTX 1050 Ti", "GP107", _X86),
    Product("gtx-980-ti", "GeForce GTX 980 Ti", "GM200", _X86),
    Product("gtx-970", "GeForce GTX 970", "GM204", _X86),
    Product("gtx-750-ti", "GeForce GTX 750 Ti", "GM107", _X86),
    # One package with the CPU.
    Product("dgx-spark", "DGX Spark (GB10)", "GB20B", _ARM, ("gb10",), first_branch=580),
    Product("jetson-thor", "Jetson AGX Thor, T5000, T4000", "GB10B", _ARM, ("thor",)),
    Product("jetson-orin", "Jetson AGX Orin, Orin NX, Orin Nano", "GA10B", _ARM, ("orin",)),
    Product("jetson-xavier", "Jetson AGX Xavier, Xavier NX", "GV11B", _ARM, ("xavier",)),
)

# Chips in one package with their CPU, an Arm one, so that the GPU tells the CPU.
CHIPS_WITH_CPU: Final = frozenset({"GB20B", "GB10B", "GA10B", "GV11B", "GP10B", "GM20B", "GK20A"})

# Chips that are on no PCI bus, and so missing from the table of PCI ids.
CHIPS_OFF_PCI: Final = {
    "GV11B": ComputeCapability(7, 2),
    "GA10B": ComputeCapability(8, 7),
}


class CapabilityFacts(NamedTuple):
    """A compute capability, the first toolkit that builds for it, and whether it is Tegra's."""

    capability: ComputeCapability
    first_toolkit: CudaVersion
    tegra: bool = False


CAPABILITIES: Final = (
    CapabilityFacts(ComputeCapability(3, 0), CudaVersion(4, 2)),
    CapabilityFacts(ComputeCapability(3, 2), CudaVersion(6, 0), tegra=True),
    CapabilityFacts(ComputeCapability(3, 5), CudaVersion(5, 0)),
    CapabilityFacts(ComputeCapability(3, 7), CudaVersion(6, 5)),
    CapabilityFacts(ComputeCapability(5, 0), CudaVersion(6, 5)),
    CapabilityFacts(ComputeCapability(5, 2), CudaVersion(6, 5)),
    CapabilityFacts(ComputeCapability(5, 3), CudaVersion(7, 0), tegra=True),
    CapabilityFacts(ComputeCapability(6, 0), CudaVersion(8, 0)),
    CapabilityFacts(ComputeCapability(6, 1), CudaVersion(8, 0)),
    CapabilityFacts(ComputeCapability(6, 2), CudaVersion(8, 0), tegra=True),
    CapabilityFacts(ComputeCapability(7, 0), CudaVersion(9, 0)),
    CapabilityFacts(ComputeCapability(7, 2), CudaVersion(10, 0), tegra=True),
    CapabilityFacts(ComputeCapability(7, 5), CudaVersion(10, 0)),
    CapabilityFacts(ComputeCapability(8, 0), CudaVersion(11, 0)),
    CapabilityFacts(ComputeCapability(8, 6), CudaVersion(11, 1)),
    CapabilityFacts(ComputeCapability(8, 7), CudaVersion(11, 4), tegra=True),
    CapabilityFacts(ComputeCapability(8, 8), CudaVersion(13, 0), tegra=True),
    CapabilityFacts(ComputeCapability(8, 9), CudaVersion(11, 8)),
    CapabilityFacts(ComputeCapability(9, 0), CudaVersion(11, 8)),
    CapabilityFacts(ComputeCapability(10, 0), CudaVersion(12, 8)),
    CapabilityFacts(ComputeCapability(10, 3), CudaVersion(12, 9)),
    CapabilityFacts(ComputeCapability(10, 7), CudaVersion(13, 4)),
    CapabilityFacts(ComputeCapability(11, 0), CudaVersion(13, 0), tegra=True),
    CapabilityFacts(ComputeCapability(12, 0), CudaVersion(12, 8)),
    CapabilityFacts(ComputeCapability(12, 1), CudaVersion(12, 9)),
)

# From these toolkits on, nothing is built for older GPUs: CUDA 11 was the last for Kepler.
# Source: release notes of CUDA 12.0 and 13.0.
OLDEST_BUILT_FOR: Final = (
    (CudaVersion(12, 0), ComputeCapability(5, 0)),
    (CudaVersion(13, 0), FIRST_CAPABILITY_OF_CUDA_13),
)

# The first capability of each generation, as NVIDIA's CUDA GPU pages group them. 10.x to 12.x but
# for 10.7 are all Blackwell.
GENERATIONS: Final = (
    (ComputeCapability(3, 0), "Kepler"),
    (ComputeCapability(5, 0), "Maxwell"),
    (ComputeCapability(6, 0), "Pascal"),
    (ComputeCapability(7, 0), "Volta"),
    (ComputeCapability(7, 5), "Turing"),
    (ComputeCapability(8, 0), "Ampere"),
    (ComputeCapability(8, 9), "Ada"),
    (ComputeCapability(9, 0), "Hopper"),
    (ComputeCapability(10, 0), "Blackwell"),
    (ComputeCapability(10, 7), "Rubin"),
    (ComputeCapability(11, 0), "Blackwell"),
)


class JetPack(NamedTuple):
    """A JetPack release: its CUDA version, the capabilities it serves, Jetson Linux and driver.

    ``linux`` is the first release of Jetson Linux (L4T) with it: ``36.4.3``. ``driver`` is how its
    driver release begins, empty where no public machine showed it; these numbers are Tegra's own.
    """

    version: str
    cuda: CudaVersion
    capabilities: frozenset[ComputeCapability]
    linux: str
    driver: str


_XAVIER: Final = ComputeCapability(7, 2)
_ORIN: Final = ComputeCapability(8, 7)
_THOR: Final = ComputeCapability(11, 0)

# CUDA versions from NVIDIA's "CUDA for Tegra" and, within 6.x, public banners; releases of Jetson
# Linux from rbonghi/jetson_stats, July 2026. Oldest first.
JETPACKS: Final = (
    JetPack("5.0", CudaVersion(11, 4), frozenset({_XAVIER, _ORIN}), "35.1", "35.1"),
    JetPack("5.1", CudaVersion(11, 4), frozenset({_XAVIER, _ORIN}), "35.2", "35"),
    JetPack("6.0", CudaVersion(12, 2), frozenset({_ORIN}), "36.2", "540.3"),
    JetPack("6.1", CudaVersion(12, 6), frozenset({_ORIN}), "36.4", "540.4"),
    JetPack("6.2", CudaVersion(12, 6), frozenset({_ORIN}), "36.4.3", "540.4"),
    JetPack("7.0", CudaVersion(13, 0), frozenset({_THOR}), "38.2", "580"),
    JetPack("7.1", CudaVersion(13, 0), frozenset({_THOR}), "38.4", "580"),
    JetPack("7.2", CudaVersion(13, 2), frozenset({_ORIN, _THOR}), "39", ""),
)


@cache
def capability_of_chips() -> dict[str, ComputeCapability]:
    """Return every chip's capability: ``"GH100"`` has 9.0."""
    # Most who load this module ask for names alone.
    from nvidia_variant_provider.tables.pci import all_chips

    return {chip.name: chip.capability for chip in all_chips()} | CHIPS_OFF_PCI


def sold_capabilities() -> tuple[ComputeCapability, ...]:
    """Return the capabilities of the products, oldest first: what a build can be made for."""
    return tuple(sorted({capability_of_chips()[product.chip] for product in PRODUCTS}))
