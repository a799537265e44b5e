"""Machine files: what ``detect --json`` prints, one document, one a line, or a folder of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, BinaryIO

from nvidia_variant_provider import machine_file
from nvidia_variant_provider.errors import FleetError, InvalidValueError
from nvidia_variant_provider.model import Status
from nvidia_variant_provider.tools.coverage.fleet import Record
from nvidia_variant_provider.tools.coverage.kinds import Facts
from nvidia_variant_provider.tools.inventory.streams import MAX_LINE, lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.model import Machine


def read(stream: BinaryIO, source: str) -> Iterator[Record]:
    """Yield the record of a file that holds one machine, on one line or over many."""
    data = stream.read(MAX_LINE + 1)
    if len(data) > MAX_LINE:
        raise FleetError(source, "", "", "a larger file", f"a machine in {MAX_LINE} bytes")
    try:
        yield _record(data.decode("utf-8-sig"), source, "")
    except UnicodeDecodeError as error:
        raise FleetError(source, "", "", repr(data[:40]), "text in UTF-8") from error


def read_lines(
    stream: BinaryIO, source: str, start: int = 0, stop: int | None = None
) -> Iterator[Record]:
    """Yield one record a line of a file with one machine a line; a byte range is a partition."""
    for where, line in lines(stream, source, start, stop):
        if line.strip():
            yield _record(line, source, where)


def facts_of(machine: Machine) -> Facts:
    """Return what matters of a machine that was detected or described."""
    unusable = ""
    if machine.cuda is None and (machine.gpus or machine.status is Status.GPU_NO_DRIVER):
        unusable = machine.reason or f"status {machine.status.value}"
    capabilities = tuple(str(gpu.capability or "") for gpu in machine.gpus)
    if unusable and not capabilities:
        capabilities = ("",)
    return Facts(
        devices=tuple(sorted({gpu.name for gpu in machine.gpus if gpu.name})),
        capabilities=tuple(sorted(set(capabilities))),
        driver=str(machine.driver_release or ""),
        cuda=str(machine.cuda or ""),
        architecture=machine.platform.architecture,
        system=machine.platform.system,
        no_driver=unusable,
    )


def _record(text: str, source: str, where: str) -> Record:
    try:
        machine = machine_file.load(json.loads(text))
    except InvalidValueError as error:
        raise FleetError(source, where, "", "something else", f"a machine file: {error}") from error
    except (ValueError, RecursionError) as error:
        raise FleetError(source, where, "", str(error), "a JSON document") from error
    return Record(facts_of(machine), 1, (where and f"{source} {where}") or source, source, where)
