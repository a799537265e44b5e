"""What one variant wheel states, and what its code says, ready to be compared."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import CudaVersion, SmArch
from nvidia_variant_provider.rules.catalogue import LOWER_BOUND, SM_ARCH
from nvidia_variant_provider.tools.binaries import elsewhere, gpu_shares, runtime
from nvidia_variant_provider.tools.binaries.wheel import read_wheel
from nvidia_variant_provider.tools.metadata.reading import parse_wheel_metadata
from nvidia_variant_provider.tools.tagging.groups import Group, split
from nvidia_variant_provider.tools.tagging.statement import NAMESPACE
from nvidia_variant_provider.tools.verify.code import GroupCode
from nvidia_variant_provider.tools.wheels.name import WheelName
from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.model import ComputeCapability
    from nvidia_variant_provider.tools.binaries.report import Contents
    from nvidia_variant_provider.tools.metadata.model import VariantMetadata

_T = TypeVar("_T", CudaVersion, SmArch)


@dataclass(frozen=True)
class ExaminedWheel:
    """One variant wheel: its name, its metadata and what was read of its code.

    ``threshold`` is the share of containers that must have code for an architecture.
    """

    path: str
    name: WheelName
    metadata: VariantMetadata
    contents: Contents
    threshold: float

    @property
    def file_name(self) -> str:
        """The file's name without its folder."""
        return os.path.basename(self.path)

    @property
    def properties(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """All that it states, by namespace and feature; empty in the null variant."""
        return self.metadata.variants[self.name.label]

    @cached_property
    def features(self) -> dict[str, tuple[str, ...]]:
        """The features of the namespace ``nvidia`` that the wheel states."""
        return dict(self.properties.get(NAMESPACE, {}))

    @cached_property
    def stated(self) -> tuple[SmArch, ...]:
        """The architectures it states; values that are none are left to ``lint``."""
        parsed = [_parsed(SmArch, value) for value in self.features.get(SM_ARCH, ())]
        return tuple(sorted(arch for arch in parsed if arch is not None))

    @cached_property
    def lower_bound(self) -> CudaVersion | None:
        """The lower bound it states."""
        parsed = [_parsed(CudaVersion, value) for value in self.features.get(LOWER_BOUND, ())]
        return next((version for version in parsed if version is not None), None)

    @cached_property
    def code(self) -> GroupCode:
        """All device code of its own libraries."""
        return GroupCode(Group("", self.contents), self.threshold)

    @cached_property
    def groups(self) -> tuple[GroupCode, ...]:
        """The code that a machine loads: all of it, or what there is for one CUDA of several."""
        return tuple(GroupCode(group, self.threshold) for group in split(self.contents))

    def best(self, arch: SmArch) -> GroupCode:
        """Return the group with the largest share of containers behind a value."""
        return max(self.groups, key=lambda code: code.serving(arch) / (code.total or 1))

    @cached_property
    def needs(self) -> runtime.Runtime:
        """What the libraries need of the driver."""
        return runtime.runtime_of(self.contents)

    @cached_property
    def evidence(self) -> tuple[elsewhere.Evidence, ...]:
        """What tells that code is made at run time or lies elsewhere, the strongest first."""
        return elsewhere.evidence_of(self.contents)


def examine_wheel(path: str, threshold: float, jobs: int = 1) -> ExaminedWheel:
    """Read a variant wheel: strictly its metadata, then its device code.

    Raises ``InvalidValueError`` for a wheel that is damaged, has no label or invalid metadata.
    """
    try:
        name = WheelName.parse(os.path.basename(path))
        if not name.label:
            raise InvalidValueError(
                f"{path}: has no variant label, so there is nothing to verify;"
                " tag --dry-run shows what it could state"
            )
        with OpenWheel(path) as wheel:
            wheel.check()
            data = wheel.variant_json
            if data is None:
                raise InvalidValueError(f"{path}: has no {wheel.variant_path}")
            metadata = parse_wheel_metadata(data, wheel.variant_source, name.label)
            contents = read_wheel(wheel.archive, jobs)
    except OSError as error:
        raise InvalidValueError(f"{path}: {error.strerror}") from error
    return ExaminedWheel(path, name, metadata, contents, threshold)


def known_gpus(arch: SmArch) -> list[ComputeCapability]:
    """Return the known GPUs that a value promises to serve."""
    gpus = {*gpu_shares.GPUS, arch.capability}
    return [gpu for gpu in sorted(gpus) if gpu_shares.is_fit(arch, gpu)]


def _parsed(kind: type[_T], text: str) -> _T | None:
    try:
        return kind.parse(text)
    except InvalidValueError:
        return None
