"""Fixtures and settings that more than one folder of tests uses."""

from __future__ import annotations

import os
import signal
import sys

from hypothesis import settings

from tests.native.build import stand_ins

__all__ = ["stand_ins"]

# Where bytecode may not be kept, each of the thousand programs that the tests start would compile
# the whole package once more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# No width of a terminal for what the tests start. pytest loads readline, which sets it for children
# behind the back of ``os.environ``, and so for the workers of xdist.
os.environ.pop("COLUMNS", None)
os.unsetenv("COLUMNS")

# Shared machines are noisy: how long one example takes says nothing. The gate tries the same
# examples in every run, so that a change is blamed for what it did; `.ci/run deep` tries new ones,
# with `--hypothesis-profile fresh`.
settings.register_profile("gate", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("fresh", deadline=None, max_examples=1000)
settings.load_profile("gate")

# A shell's background jobs ignore Ctrl-C, and so would all programs that the tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# So do those of nohup SIGHUP.
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
