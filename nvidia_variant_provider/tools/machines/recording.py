"""Machine records: one JSON file that holds a machine's observations and what was made of them.

``detect --record`` writes one, ``detect --replay`` and the tests read one; docs/records.md
describes the format.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from nvidia_variant_provider import __version__, machine_file
from nvidia_variant_provider.detect.cascade import detect
from nvidia_variant_provider.detect.masking import masker_for
from nvidia_variant_provider.detect.record import RECORD_VERSION, RecordingHost
from nvidia_variant_provider.detect.replay import ReplayHost
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.json_fields import field, mapping
from nvidia_variant_provider.overrides import VARIABLES
from nvidia_variant_provider.tools.files import make_folder_of, write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.detect.host import Host

# A record of a machine with many GPUs is some ten kilobytes.
MAX_BYTES = 4 << 20


def record(host: Host, seconds: float, *, keep_private: bool = False) -> dict[str, object]:
    """Probe a machine and return its record, with what is private in it masked.

    The result in it is that of the masked observations, so that whoever replays the record sees
    the same.
    """
    recording = RecordingHost(host, tuple(row.name for row in VARIABLES if row.recorded))
    detect(recording, seconds, confirm=True)
    observed: object = recording.observed()
    if not keep_private:
        observed = masker_for(host.environ, host_name()).mask(observed)
    detection = detect(ReplayHost(observed), seconds, confirm=True)
    return {
        "schema_version": RECORD_VERSION,
        "recorded_by": __version__,
        "private_data": "kept" if keep_private else "masked",
        "observed": observed,
        "result": machine_file.dump(detection.machine),
    }


def write(path: str, document: Mapping[str, object]) -> None:
    """Write a record, never half of one. Raises ``OSError``."""
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    make_folder_of(path)
    write_atomically(Path(path), text.encode())


def read(path: str) -> ReplayHost:
    """Return the machine of a record; raises ``InvalidValueError`` if it is none."""
    try:
        with open(path, "rb") as file:
            document = json.loads(file.read(MAX_BYTES))
    except OSError as error:
        raise InvalidValueError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidValueError(
            f"{path}: expected a machine record in JSON: {error!s:.100}"
        ) from error
    try:
        top = mapping(document, "record")
        if field(top, "schema_version", int) != RECORD_VERSION:
            raise InvalidValueError(f"schema_version: expected {RECORD_VERSION}")
        return ReplayHost(top.get("observed"))
    except ValueError as error:
        raise InvalidValueError(f"{path}: {error}") from error


def host_name() -> str:
    """Return the name of this machine, which is masked."""
    return os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
