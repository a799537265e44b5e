"""How this package and its extras are installed: the one line, until there is a release."""

from __future__ import annotations


def install_line(extra: str) -> str:
    """Return the command that installs an extra: ``tools``, ``dask``, ``serve``.

    The package of this name on PyPI is an empty placeholder of others, so the line is that of a
    checkout; docs/installation.md has more.
    """
    return f"pip install '.[{extra}]' (in a checkout of nvidia-variant-provider)"
