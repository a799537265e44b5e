"""A machine as JSON: what ``detect --json`` prints and ``NV_VARIANT_PROVIDER_MACHINE`` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.json_fields import field, mapping, optional, rows
from nvidia_variant_provider.model import (
    ComputeCapability,
    CudaVersion,
    DriverRelease,
    Gpu,
    Machine,
    Note,
    Platform,
    Status,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_VERSION: Final = 1

# A machine with more GPUs than this is a mistake or an attack, not a machine.
MAX_GPUS: Final = 256

# A document with neither of these says nothing of a machine: it is empty, misspelt, or another one.
_TELLING: Final = frozenset({"cuda_driver_version", "gpus", "status"})
_FORM: Final = 'such as {"cuda_driver_version": "13.0", "gpus": [{"compute_capability": "9.0"}]}'
# What people have at hand in place of a machine file, by a key that only that has.
_LIKE: Final = {
    "items": "this looks like a list of Kubernetes objects",
    "nodes": "this looks like what 'scontrol show nodes --json' prints",
    "observed": "this is a machine record, which 'detect --replay' reads",
    "variants": "this is variant metadata of a release",
}


def dump(machine: Machine) -> dict[str, object]:
    """Return the JSON object of a machine; ``load`` gives the same machine back."""
    return {
        "schema_version": SCHEMA_VERSION,
        "platform": {
            "system": machine.platform.system,
            "architecture": machine.platform.architecture,
            "libc": machine.platform.libc,
        },
        "status": machine.status.value,
        "reason": machine.reason,
        "driver_release": _text_or_none(machine.driver_release),
        "driver_source": machine.driver_source,
        "cuda_driver_version": _text_or_none(machine.cuda),
        "cuda_source": machine.cuda_source,
        "cuda_derived": machine.cuda_derived,
        "cuda_forced": machine.cuda_forced,
        "tegra": machine.tegra,
        "gpus": [_dump_gpu(gpu) for gpu in machine.gpus],
        "notes": [{"code": note.code, "text": note.text} for note in machine.notes],
    }


def load(document: object) -> Machine:
    """Read a machine from parsed JSON; raises ``InvalidValueError`` naming the key at fault.

    Only ``cuda_driver_version`` and ``gpus`` matter to the rules; every other key has a default,
    so that a machine can be written by hand: ``{"cuda_driver_version": "13.0", "gpus":
    [{"compute_capability": "9.0"}]}``. A key this release does not know is ignored; a document
    with none of ``cuda_driver_version``, ``gpus`` and ``status`` is no machine.
    """
    top = mapping(document, "a machine")
    if field(top, "schema_version", int, SCHEMA_VERSION) != SCHEMA_VERSION:
        raise InvalidValueError(f"schema_version: expected {SCHEMA_VERSION}")
    platform = mapping(top.get("platform", {}), "platform")
    gpus = tuple(rows(top, "gpus"))
    if len(gpus) > MAX_GPUS:
        raise InvalidValueError(f"gpus: {len(gpus)} of them, expected at most {MAX_GPUS}")
    cuda, release = optional(top, "cuda_driver_version", str), optional(top, "driver_release", str)
    machine = Machine(
        platform=Platform(
            field(platform, "system", str, "linux"),
            field(platform, "architecture", str, ""),
            field(platform, "libc", str, ""),
        ),
        status=_status(field(top, "status", str, Status.PINNED.value)),
        reason=field(top, "reason", str, ""),
        driver_release=DriverRelease.parse(release) if release is not None else None,
        driver_source=field(top, "driver_source", str, ""),
        cuda=CudaVersion.parse(cuda) if cuda is not None else None,
        cuda_source=field(top, "cuda_source", str, ""),
        cuda_derived=field(top, "cuda_derived", bool, default=False),
        cuda_forced=field(top, "cuda_forced", bool, default=False),
        gpus=tuple(map(_load_gpu, gpus)),
        tegra=field(top, "tegra", bool, default=False),
        notes=tuple(
            Note(field(row, "code", str, ""), field(row, "text", str, ""))
            for row in rows(top, "notes")
        ),
    )
    # Last, as a key that is wrong says more than one that is missing.
    if not _TELLING & top.keys():
        raise InvalidValueError(f"a machine: {_likeness(top)}; expected {_FORM}")
    return machine


def _likeness(top: Mapping[str, object]) -> str:
    """Say what a document looks like that says nothing of a machine."""
    for key, words in _LIKE.items():
        if key in top:
            return words
    seen = ", ".join(map(repr, list(top)[:5])) or "nothing"
    return f"no key of a machine, seen {seen}"


def _dump_gpu(gpu: Gpu) -> dict[str, object]:
    return {
        "name": gpu.name,
        "uuid": gpu.uuid,
        "pci_address": gpu.pci_address,
        "compute_capability": _text_or_none(gpu.capability),
        "integrated": gpu.integrated,
        "source": gpu.source,
        "memory_mib": gpu.memory,
    }


def _load_gpu(row: Mapping[str, object]) -> Gpu:
    capability = optional(row, "compute_capability", str)
    return Gpu(
        name=field(row, "name", str, ""),
        uuid=field(row, "uuid", str, ""),
        pci_address=field(row, "pci_address", str, ""),
        capability=ComputeCapability.parse(capability) if capability is not None else None,
        integrated=optional(row, "integrated", bool),
        source=field(row, "source", str, ""),
        memory=_memory(row),
    )


def _status(text: str) -> Status:
    try:
        return Status(text)
    except ValueError as error:
        words = ", ".join(status.value for status in Status)
        raise InvalidValueError(f"status: {text!r}, expected one of {words}") from error


def _memory(row: Mapping[str, object]) -> int | None:
    memory = optional(row, "memory_mib", int)
    if memory is not None and memory < 0:
        raise InvalidValueError(f"memory_mib: expected a number of MiB, seen {memory}")
    return memory


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)
