"""Print what this machine supports as JSON: the entry point of the stand-alone archive."""

from __future__ import annotations

import json
import sys

from nvidia_variant_provider.errors import OverrideError
from nvidia_variant_provider.plugin import NvidiaVariantPlugin


def main() -> int:
    """Answer as an installer's worker would get it; 2 for a malformed override."""
    try:
        configs = NvidiaVariantPlugin.get_supported_configs()
    except OverrideError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    features = [
        {"name": it.name, "values": it.values, "multi_value": it.multi_value} for it in configs
    ]
    sys.stdout.write(json.dumps({"features": features}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
