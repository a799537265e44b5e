"""Conformance cases as they lie in files: plain JSON, one group a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.conformance.json_model import CaseFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PACKAGED: Final = Path(__file__).with_name("cases")

# All packaged groups together are a fraction of this.
MAX_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Case:
    """One question and the answer to it."""

    id: str
    group: str
    request: Mapping[str, object]
    expected: Mapping[str, object]


def load(paths: Iterable[Path]) -> list[Case]:
    """Read files and the ``*.json`` of folders, in the order given; an id may occur only once.

    Raises ``InvalidValueError`` naming the file, for a missing one and for one without a case too.
    """
    cases: dict[str, Case] = {}
    for path in paths:
        for file in _files(path):
            for case in _read(file):
                if case.id in cases:
                    raise InvalidValueError(f"{file}: the id {case.id!r} occurs twice")
                cases[case.id] = case
    return list(cases.values())


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.json"))
    if not files:
        raise InvalidValueError(f"{path}: no *.json in this folder, expected conformance cases")
    return files


def _read(path: Path) -> Iterator[Case]:
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(MAX_BYTES))
        CaseFile.model_validate(document)
    except OSError as error:
        raise InvalidValueError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = "/".join(str(step) for step in first["loc"])
        raise InvalidValueError(f"{path}: {where}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidValueError(f"{path}: expected JSON: {error!s:.100}") from error
    # The raw document, not the model: an implementation gets to see what the file says.
    for row in document["cases"]:
        yield Case(row["id"], document["group"], row["request"], row["expected"])
