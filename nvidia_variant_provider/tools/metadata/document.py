"""What a metadata file is as text: its name, its schemas, its canonical form, our own entry.

Standard library only: tagging a wheel has no time to load what reading a foreign file needs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_825: Final = "https://variants-schema.wheelnext.dev/peps/825/v0.1.1.json"
SCHEMA_850: Final = "https://variants-schema.wheelnext.dev/peps/850/v0.2.0.json"
# variantlib 0.2.2 writes its own name for the schema that uv and PEP 850 call the above.
SCHEMA_850_VARIANTLIB: Final = "https://variants-schema.wheelnext.dev/v0.2.0.json"

NVIDIA_NAMESPACE: Final = "nvidia"
NVIDIA_PACKAGE: Final = "nvidia-variant-provider"
# The endpoint that an entry without 'plugin-api' means.
NVIDIA_MODULE: Final = "nvidia_variant_provider"
NVIDIA_ENDPOINT: Final = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"
# The specifier admits 0.0.1, the version of uv's own copy, and every release of this provider.
UV_PROVIDER_VERSION: Final = "0.0.1"
NVIDIA_REQUIREMENT: Final = f"{NVIDIA_PACKAGE}>={UV_PROVIDER_VERSION},<1.0.0"


def render(document: Mapping[str, object]) -> str:
    """Return the canonical text: keys sorted, lists as they are; equal metadata, equal bytes."""
    return json.dumps(document, indent=4, sort_keys=True) + "\n"
