"""``python -m nvidia_variant_provider``: the command-line tools."""

from __future__ import annotations

import sys

_INTERRUPTED = 130


def main() -> int:
    """Run one command and return its exit code; Ctrl-C is one line, also while it starts."""
    try:
        from nvidia_variant_provider.tools.cli.main import main as run

        return run()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
