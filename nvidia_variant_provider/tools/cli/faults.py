"""What a person is told when a command ends with an exception."""

from __future__ import annotations

import os
from typing import Final

from nvidia_variant_provider.errors import ProviderError
from nvidia_variant_provider.tools.cli.output import PROGRAM
from nvidia_variant_provider.tools.files import missing
from nvidia_variant_provider.tools.installers.ourselves import install_line

DEBUG: Final = "NV_VARIANT_PROVIDER_DEBUG"

# What the extra ``tools`` brings, by the names that are imported.
TOOLS_PACKAGES: Final = frozenset(
    {
        "backports",
        "certifi",
        "packaging",
        "pydantic",
        "rich",
        "shtab",
        "tomli",
        "tomlkit",
        "variantlib",
        "yaml",
    }
)
_OURS: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def words_for(error: Exception) -> str:
    """Return one line: what was wrong with the input, or that the fault is ours."""
    if isinstance(error, ProviderError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and _top(error) in TOOLS_PACKAGES:
        return f"this command needs the package {error.name!r}: {install_line('tools')}"
    if isinstance(error, FileNotFoundError) and isinstance(error.filename, str):
        return f"{error.filename}: {missing(error.filename)}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return (
        f"unexpected {type(error).__name__}: {error} ({_place(error)}). This is a fault of ours: "
        f"please report it, with what the same command prints under {DEBUG}=1 and with the file "
        f"of '{PROGRAM} detect --record FILE'"
    )


def is_interrupt(error: BaseException) -> bool:
    """Tell whether Ctrl-C is what a library made this error of."""
    while error.__context__ is not None:
        error = error.__context__
        if isinstance(error, KeyboardInterrupt):
            return True
    return False


def wants_traceback() -> bool:
    """Say whether the person asked for the traceback of errors, too."""
    return bool(os.environ.get(DEBUG))


def _top(error: ModuleNotFoundError) -> str:
    return (error.name or "").partition(".")[0]


def _place(error: Exception) -> str:
    """Return the innermost line of this package on the way to the error: ``model.py:41``."""
    # Costs more to import than most commands take to start.
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(_OURS)]
    if not ours:
        return "nowhere in this package"
    return f"{os.path.relpath(ours[-1].filename, _OURS)}:{ours[-1].lineno}"
