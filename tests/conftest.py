"""Fixtures and settings that more than one folder of tests uses."""

from __future__ import annotations

import signal

from hypothesis import settings

from tests.native.build import stand_ins

__all__ = ["stand_ins"]

# Shared machines are noisy: how long one example takes says nothing.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

# A shell's background jobs ignore Ctrl-C, and so would all programs that the tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
