"""What is said of an address that leads nowhere: what it has, what is expected, an example."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from nvidia_variant_provider.tools.serve.front_pages import ANY, EXAMPLE

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.serve.front_pages import Site


def no_machine(site: Site, target: str, why: str) -> str:
    """Say that a word in the address is no machine; ``why`` is what is wrong with it."""
    return (
        f"{_shown(target)} in the address is not a machine: {why}; expected NAME@DRIVER, as in "
        f"{site.index(EXAMPLE)}\nhint: {site.root} says how machines are spelt"
    )


def no_page(site: Site, path: str) -> str:
    """Say that there is no such page, and which address may have been meant."""
    return (
        f"there is nothing at {_shown(path)}; expected /NAME@DRIVER/simple/PROJECT/\n"
        f"hint: {_meant(site, path)}"
    )


def no_method(site: Site, method: str) -> str:
    """Say that the server only reads."""
    return (
        f"{_shown(method)}: this server only answers GET and HEAD: packages are uploaded to the "
        f"main index\nhint: {site.root} has the addresses"
    )


def _meant(site: Site, path: str) -> str:
    """Return the address that was probably meant: of ``/simple/torch/`` and ``/h100@570/torch/``.

    Addresses that another server of indexes would have are the likely mistakes.
    """
    words = [word for word in path.split("/") if word]
    if words[:1] == ["simple"]:
        project = "".join(f"{quote(word)}/" for word in words[1:2])
        return (
            f"name a machine: {site.index(EXAMPLE)}{project} for an H100 with driver branch R570, "
            f"{site.index(ANY)}{project} for the main index, unchanged"
        )
    if len(words) == 2 and "@" in words[0]:  # noqa: PLR2004 - machine and project
        return f"did you mean {site.index(words[0])}{quote(words[1])}/ ?"
    return f"{site.root} has the addresses, such as {site.index(EXAMPLE)}torch/"


def _shown(text: str) -> str:
    return repr(text[:100])
