"""What is done to one wheel, in the process that may die of it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final, NamedTuple

from nvidia_variant_provider import __version__
from nvidia_variant_provider.errors import DamagedFileError, ProviderError
from nvidia_variant_provider.tools.survey.json_model import SurveyFailure, SurveyLine

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.survey.json_model import FailureCode
    from nvidia_variant_provider.tools.survey.wheels import Wheel

_LONGEST: Final = 2000


class Task(NamedTuple):
    """``command`` is "inspect" or "verify"; ``threshold`` is a share, 0 for ``inspect``."""

    command: str
    threshold: float = 0.0


def examine(task: Task, wheel: Wheel) -> str:
    """Return the line about a wheel; whatever goes wrong with it stands in the line."""
    try:
        return _verify(task, wheel) if task.command == "verify" else _inspect(task, wheel)
    except MemoryError:
        return failed(task, wheel, "out-of-memory", "there was no memory left to read it")
    except OSError as error:
        return failed(task, wheel, "unreadable", error.strerror or str(error))
    except ProviderError as error:
        if isinstance(error.__cause__, OSError):
            return failed(task, wheel, "unreadable", str(error))
        is_damaged = isinstance(error, DamagedFileError)
        return failed(task, wheel, "damaged" if is_damaged else "invalid", str(error))
    except Exception as error:  # noqa: BLE001 - a fault of ours must not stop the others
        return failed(task, wheel, "internal-error", f"{type(error).__name__}: {error}")


def failed(task: Task, wheel: Wheel, code: FailureCode, text: str) -> str:
    """Return the line about a wheel that could not be examined."""
    failure = SurveyFailure(code=code, error=_printable(text)[:_LONGEST])
    return _line(task, wheel, "failed", failure=failure)


def _inspect(task: Task, wheel: Wheel) -> str:
    from nvidia_variant_provider.tools.binaries.inspector import inspect_path
    from nvidia_variant_provider.tools.binaries.json_model import FileModel

    contents = inspect_path(wheel.path)
    return _line(task, wheel, "done", inspection=FileModel.of(contents, wheel.name))


def _verify(task: Task, wheel: Wheel) -> str:
    from nvidia_variant_provider.tools.findings.selection import EVERYTHING
    from nvidia_variant_provider.tools.verify.engine import verify_wheel
    from nvidia_variant_provider.tools.verify.json_model import WheelModel
    from nvidia_variant_provider.tools.verify.wheel import examine_wheel
    from nvidia_variant_provider.tools.wheels.name import WheelName

    if not WheelName.parse(os.path.basename(wheel.path)).label:
        failure = SurveyFailure(code="no-label", error="no variant label: nothing to verify")
        return _line(task, wheel, "skipped", failure=failure)
    examined = examine_wheel(wheel.path, task.threshold)
    verified = WheelModel.of(examined, verify_wheel(examined, EVERYTHING), wheel.name)
    return _line(task, wheel, "done", verification=verified)


def _line(task: Task, wheel: Wheel, outcome: str, **results: object) -> str:
    line = SurveyLine.model_validate(
        {
            "provider_version": __version__,
            "command": task.command,
            "threshold": task.threshold if task.command == "verify" else None,
            "path": wheel.name,
            "size": wheel.size,
            "mtime_ns": wheel.mtime_ns,
            "outcome": outcome,
            **results,
        }
    )
    # In ASCII: no reader can take a part of a character for the end of a line.
    return json.dumps(line.model_dump(mode="json"), separators=(",", ":")) + "\n"


def _printable(text: str) -> str:
    """Escape what is no character: bytes of a path that are not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
