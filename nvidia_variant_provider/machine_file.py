"""A machine as JSON: what ``detect --json`` prints and ``NV_VARIANT_PROVIDER_MACHINE`` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from nvidia_variant_provider.errors import InvalidValueError
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

_T = TypeVar("_T")


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
        "tegra": machine.tegra,
        "gpus": [_dump_gpu(gpu) for gpu in machine.gpus],
        "notes": [{"code": note.code, "text": note.text} for note in machine.notes],
    }


def load(document: object) -> Machine:
    """Read a machine from parsed JSON; raises ``InvalidValueError`` naming the key at fault.

    Only ``cuda_driver_version`` and ``gpus`` matter to the rules; every other key has a default,
    so that a machine can be written by hand: ``{"cuda_driver_version": "13.0", "gpus":
    [{"compute_capability": "9.0"}]}``. A key this release does not know is ignored.
    """
    top = _mapping(document, "a machine")
    if _field(top, "schema_version", int, SCHEMA_VERSION) != SCHEMA_VERSION:
        raise InvalidValueError(f"schema_version: expected {SCHEMA_VERSION}")
    platform = _mapping(top.get("platform", {}), "platform")
    gpus = _field(top, "gpus", list, [])
    if len(gpus) > MAX_GPUS:
        raise InvalidValueError(f"gpus: {len(gpus)} of them, expected at most {MAX_GPUS}")
    cuda, release = _optional(top, "cuda_driver_version"), _optional(top, "driver_release")
    return Machine(
        platform=Platform(
            _field(platform, "system", str, "linux"),
            _field(platform, "architecture", str, ""),
            _field(platform, "libc", str, ""),
        ),
        status=_status(_field(top, "status", str, Status.PINNED.value)),
        reason=_field(top, "reason", str, ""),
        driver_release=DriverRelease.parse(release) if release is not None else None,
        driver_source=_field(top, "driver_source", str, ""),
        cuda=CudaVersion.parse(cuda) if cuda is not None else None,
        cuda_source=_field(top, "cuda_source", str, ""),
        cuda_derived=_field(top, "cuda_derived", bool, default=False),
        gpus=tuple(_load_gpu(_mapping(gpu, f"gpus[{index}]")) for index, gpu in enumerate(gpus)),
        tegra=_field(top, "tegra", bool, default=False),
        notes=tuple(_load_note(note) for note in _field(top, "notes", list, [])),
    )


def _dump_gpu(gpu: Gpu) -> dict[str, object]:
    return {
        "name": gpu.name,
        "uuid": gpu.uuid,
        "pci_address": gpu.pci_address,
        "compute_capability": _text_or_none(gpu.capability),
        "integrated": gpu.integrated,
        "source": gpu.source,
    }


def _load_gpu(row: Mapping[str, object]) -> Gpu:
    capability = _optional(row, "compute_capability")
    integrated = row.get("integrated")
    if integrated is not None and not isinstance(integrated, bool):
        raise InvalidValueError(f"integrated: {integrated!r}, expected true, false or null")
    return Gpu(
        name=_field(row, "name", str, ""),
        uuid=_field(row, "uuid", str, ""),
        pci_address=_field(row, "pci_address", str, ""),
        capability=ComputeCapability.parse(capability) if capability is not None else None,
        integrated=integrated,
        source=_field(row, "source", str, ""),
    )


def _load_note(note: object) -> Note:
    row = _mapping(note, "notes")
    return Note(_field(row, "code", str, ""), _field(row, "text", str, ""))


def _status(text: str) -> Status:
    try:
        return Status(text)
    except ValueError as error:
        words = ", ".join(status.value for status in Status)
        raise InvalidValueError(f"status: {text!r}, expected one of {words}") from error


def _mapping(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise InvalidValueError(f"{what}: expected a JSON object, seen {type(value).__name__}")
    return value


def _field(row: Mapping[str, object], key: str, kind: type[_T], default: _T) -> _T:
    value = row.get(key, default)
    # bool is an int to Python and not to JSON.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InvalidValueError(
            f"{key}: expected {kind.__name__}, seen {type(value).__name__}: {value!r:.60}"
        )
    return value


def _optional(row: Mapping[str, object], key: str) -> str | None:
    return None if row.get(key) is None else _field(row, key, str, "")


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)
