"""A record is somebody's file: what is wrong in it is named."""

from __future__ import annotations

from typing import Any

import pytest

from nvidia_variant_provider.detect.replay import ReplayHost
from nvidia_variant_provider.errors import InvalidValueError

SOUND: dict[str, Any] = {"platform": {"system": "linux", "architecture": "x86_64"}}
LIBRARY = {"api": "nvml", "path": "/usr/lib/libnvidia-ml.so.1"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"platform": []}, "platform: expected a JSON object, seen"),
        ({"registry": ["x"]}, "registry: not a device id: 'x'"),
        ({"libraries": [{**LIBRARY, "seconds": "1"}]}, 'seconds: expected a number, seen "1"'),
        ({"libraries": [{**LIBRARY, "end": "of days"}]}, "end: expected .* seen 'of days'"),
        ({"libraries": ["nvml"]}, r"libraries\[0\]: expected a JSON object, seen \"nvml\""),
        ({"environment": {"PATH": 1}}, "PATH: expected"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        ReplayHost({**SOUND, **changes})


@pytest.mark.parametrize("seconds", [2, 2.5])
def test_the_clock_moves_by_what_the_recorded_child_took(seconds: float) -> None:
    host = ReplayHost({**SOUND, "libraries": [{**LIBRARY, "lines": ["end"], "seconds": seconds}]})

    reply = host.ask_library("nvml", LIBRARY["path"], 10.0)

    assert (reply.text, str(reply.end), host.monotonic()) == ("end", "exit 0", seconds)
