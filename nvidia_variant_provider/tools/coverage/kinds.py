"""Kinds of machines: what the choice of a variant depends on, and the words to show them with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.model import (
    ComputeCapability,
    CudaVersion,
    Gpu,
    Machine,
    Platform,
    Status,
)
from nvidia_variant_provider.tables.names import plain_name
from nvidia_variant_provider.tools.inventory.resolve import KnownGpu, resolve

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.inventory.machine import StatedMachine
    from nvidia_variant_provider.tools.inventory.resolve import Defaults, KnownMachine

NO_GPU: Final = "no GPU"
UNNAMED: Final = "unnamed GPU"


@dataclass(frozen=True, slots=True)
class Kind:
    """Machines that no choice of a variant can tell apart, and the words to show them with.

    ``driver`` is the branch (580). ``capabilities`` holds ``None`` for a GPU of which it is
    unknown. ``assumed`` lists the facts that the inventory does not state ("driver",
    "capability", "architecture", "system", "gpu"), and sentences for other guesses. ``reason`` says
    why there is no CUDA driver version, ``unknown`` why a capability is not known.
    """

    device: str
    architecture: str
    system: str
    driver: int | None
    cuda: CudaVersion | None
    capabilities: tuple[ComputeCapability | None, ...]
    assumed: tuple[str, ...] = ()
    reason: str = ""
    unknown: str = ""

    @property
    def has_gpu(self) -> bool:
        """Whether the machine has an NVIDIA GPU, usable or not."""
        return bool(self.capabilities)

    @property
    def known_capabilities(self) -> tuple[ComputeCapability, ...]:
        """The distinct capabilities that are known, weakest first."""
        return tuple(capability for capability in self.capabilities if capability is not None)

    @property
    def machine(self) -> Machine:
        """The machine that the rules are asked about."""
        status = Status.PINNED if self.cuda else Status.NONE
        if self.has_gpu and self.cuda is None:
            status = Status.GPU_NO_DRIVER
        return Machine(
            platform=Platform(self.system, self.architecture),
            status=status,
            reason=self.reason or "stated by an inventory",
            cuda=self.cuda,
            cuda_source="inventory" if self.cuda else "",
            gpus=tuple(Gpu(capability=capability) for capability in self.capabilities),
        )

    @property
    def sort_key(self) -> tuple[object, ...]:
        """A total order to show kinds in: newest capability first, then device and driver."""
        known = [(-capability.major, -capability.minor) for capability in self.known_capabilities]
        cuda = (self.cuda.major, self.cuda.minor) if self.cuda else (0, 0)
        return (
            not self.has_gpu, min(known, default=(0, 0)), self.device, self.architecture,
            self.system, self.driver or 0, cuda, repr(self.capabilities), self.assumed, self.reason,
            self.unknown,
        )  # fmt: skip


# A hundred thousand machines say a few hundred different things.
@lru_cache(maxsize=4096)
def kind_of(stated: StatedMachine, defaults: Defaults) -> Kind:
    """Turn what an inventory says into a kind; raises ``InvalidValueError`` for malformed text."""
    known = resolve(stated, defaults)
    names = sorted({title(gpu) for gpu in known.gpus})
    capabilities = sorted({gpu.capability for gpu in known.gpus}, key=_weakest_first)
    return Kind(
        device=" + ".join(names) or NO_GPU,
        architecture=known.architecture,
        system=known.system,
        driver=known.branch,
        cuda=known.cuda,
        capabilities=tuple(capabilities),
        assumed=_assumed(known),
        reason=known.reason,
        unknown="; ".join(guess.text for guess in known.assumed if guess.fact == "unknown"),
    )


def _assumed(known: KnownMachine) -> tuple[str, ...]:
    """Return the facts that were guessed, and the sentences of guesses that are of no one fact."""
    if not known.gpus:
        return tuple(guess.text for guess in known.assumed if guess.fact == "reader")
    guesses = (
        guess.text if guess.fact == "reader" else guess.fact
        for guess in known.assumed
        if guess.fact != "unknown"
    )
    return tuple(sorted(set(guesses)))


def title(gpu: KnownGpu) -> str:
    """Return the name to show: the product's where the name is known."""
    if gpu.device is not None and gpu.device.chip:
        return gpu.device.title
    return tidy(gpu.name) or UNNAMED


def tidy(name: str) -> str:
    """Return a name without the maker and without the marks of sharing: ``H100 80GB HBM3``."""
    plain = plain_name(name).replace("_", " ").strip()
    return re.sub(r"^nvidia[ -]+", "", plain, flags=re.IGNORECASE) or name


def _weakest_first(capability: ComputeCapability | None) -> tuple[int, int]:
    return (capability.major, capability.minor) if capability else (99, 9)
