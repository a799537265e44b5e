"""The argument ``--threshold``: how many containers an architecture needs."""

from __future__ import annotations

import argparse
from typing import Final

from nvidia_variant_provider.tools.tagging.threshold import DEFAULT_PERCENT, DEFAULT_SHARE

_WHOLE: Final = 100


def add_threshold(parser: argparse.ArgumentParser, default: float | None = DEFAULT_SHARE) -> None:
    """Add ``--threshold``, a share of containers: 0.75 for 75 per cent."""
    parser.add_argument(
        "--threshold",
        type=_share,
        default=default,
        metavar="PERCENT",
        help="share of kernel containers that must have code for an architecture "
        f"[default: {DEFAULT_PERCENT}]",
    )


def _share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number <= _WHOLE:
        raise argparse.ArgumentTypeError(f"expected a share above 0 and up to 100, not {text}")
    return number / _WHOLE
