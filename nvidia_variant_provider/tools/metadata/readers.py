"""How each reader of variant metadata differs from the others: what it refuses, what it ignores.

``PEP`` is the format itself: what PEP 825 and the draft of PEP 850 call valid. The others are what
released programs do, measured with documents of every kind; tests marked ``clients`` compare them
with the real programs, over folders and over HTTP.
"""

from __future__ import annotations

from typing import Final

from nvidia_variant_provider.value_types import dataclass


@dataclass(frozen=True, slots=True)
class Reader:
    """One reader; every switch is a difference from the format.

    ``null_as_absent`` has the keys whose ``null`` counts as absent, ``null_beside_static`` those
    of them that do beside ``static-properties`` alone. The last switch says how an entry is
    understood, not whether: see ``VariantMetadata.preferences``.
    """

    name: str
    called: str
    judges_schema: bool = False
    needs_schema: bool = True
    needs_variants: bool = True
    ignores_unknown_top_keys: bool = False
    null_as_absent: frozenset[str] = frozenset()
    null_beside_static: frozenset[str] = frozenset()
    judges_requirements: bool = False
    judges_plugin_api: bool = False
    judges_builtin: bool = False
    takes_empty_requires: bool = False
    takes_repetitions: bool = False
    takes_empty_static: bool = True
    takes_empty_variants: bool = True
    needs_providers_always: bool = False
    honours_static_optional: bool = True


PEP: Final = Reader(
    "pep",
    "PEP 825 and PEP 850",
    judges_schema=True,
    judges_requirements=True,
    judges_plugin_api=True,
    judges_builtin=True,
)
UV: Final = Reader(
    "uv",
    "uv",
    null_as_absent=frozenset({"providers", "plugin-api"}),
    null_beside_static=frozenset({"feature-order"}),
    takes_empty_requires=True,
)
VARIANTLIB: Final = Reader(
    "variantlib",
    "variantlib 0.2.2",
    needs_schema=False,
    needs_variants=False,
    ignores_unknown_top_keys=True,
    null_as_absent=frozenset(
        {"requires", "plugin-api", "static-properties", "feature-order", "builtin"}
    ),
    judges_plugin_api=True,
    takes_repetitions=True,
    takes_empty_static=False,
    takes_empty_variants=False,
    needs_providers_always=True,
    honours_static_optional=False,
)

READERS: Final = (PEP, UV, VARIANTLIB)


def by_name(name: str) -> Reader:
    """Return a reader by the name that the table of installers gives it; raises ``KeyError``."""
    return {reader.name: reader for reader in READERS}[name]
