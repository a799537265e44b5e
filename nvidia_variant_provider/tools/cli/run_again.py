"""The command line of ``run`` that a hint shows: the person's own, with what is to change."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from nvidia_variant_provider.tools.releases.logins import redacted

if TYPE_CHECKING:
    from collections.abc import Sequence


def run_again(command: Sequence[str], *more: str) -> str:
    """Return a call of ``run`` with the options that it was given, ``more`` options and a command.

    Credentials are left out.
    """
    given = sys.argv[1:]
    own = given[1 : given.index("--")] if given[:1] == ["run"] and "--" in given else []
    options = [*own, *(option for option in more if option not in own)]
    return redacted(shlex.join(["nvidia-variant-provider", "run", *options, "--", *command]))
