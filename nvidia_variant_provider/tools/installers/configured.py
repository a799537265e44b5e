"""What a person has configured for an installer: the upstream of a view."""

from __future__ import annotations

from nvidia_variant_provider.value_types import dataclass


@dataclass(frozen=True, slots=True)
class Configured:
    """The indexes of an installer. ``index_url`` is "" where it uses its default.

    ``extra`` and ``find_links`` are in the order that counts. ``keyring`` is how credentials of a
    keyring are found: "auto", "import", "subprocess", or "" where none is asked.
    ``client_cert`` is a file with the installer's own certificate; certificates of
    ``trusted_hosts`` are not looked at. ``is_first_only`` says that the first index with a project
    decides. ``explicit`` are uv's indexes for the projects that name them alone, and ``store`` is
    the file in which uv keeps credentials. ``passed_over`` are answers of an index after which the
    next one is asked, such as 403, by its address. ``proxies`` are addresses by the name of their
    variable, ``https_proxy``; they take the place of all that the environment has.
    """

    index_url: str = ""
    extra: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    cert: str = ""
    client_cert: str = ""
    trusted_hosts: tuple[str, ...] = ()
    proxy: str = ""
    is_first_only: bool = False
    keyring: str = ""
    explicit: tuple[str, ...] = ()
    store: str = ""
    passed_over: tuple[tuple[str, tuple[int, ...]], ...] = ()
    proxies: tuple[tuple[str, str], ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """Every index that is named, each once; the default of the installer is none of them."""
        indexes = (self.index_url, *self.extra, *self.explicit)
        return () if self.no_index else tuple(dict.fromkeys(filter(None, indexes)))


def keyring_of(named: str) -> str:
    """Return a way to a keyring that is known, "" for any other."""
    return named if named in {"auto", "import", "subprocess"} else ""
