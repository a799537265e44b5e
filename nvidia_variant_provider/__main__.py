"""``python -m nvidia_variant_provider``: the command-line tools."""

from __future__ import annotations

import sys

from nvidia_variant_provider.tools.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
