"""Views by their names: a target's, ``gh200@580``, or ``cpu`` for a machine without a GPU."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.cli import options

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine

CPU: Final = "cpu"


def machine_of(name: str) -> Machine:
    """Return the machine of a view; raises ``InvalidValueError`` for a name of none."""
    from nvidia_variant_provider.detect.host import read_platform
    from nvidia_variant_provider.model import Machine, Status

    if name == CPU:
        return Machine(read_platform(), Status.NONE, "the view is one for machines without a GPU")
    named = argparse.Namespace(target=name, machine=None, gpu=None)
    return options.answer_for(named).detection.machine
