"""A plugin for variantlib's loader: ours, which also leaves behind what it found and how.

The installer's channel carries values only; status, reason and trail are kept in a file.
"""

from __future__ import annotations

import os
import pickle
import time
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider import provider
from nvidia_variant_provider.plugin import NvidiaVariantPlugin, VariantFeatureConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

TESTIMONY: Final = "WITNESS_FILE"


class WitnessPlugin(NvidiaVariantPlugin):
    """``NvidiaVariantPlugin``, watched."""

    @classmethod
    def get_supported_configs(cls) -> list[VariantFeatureConfig]:
        """Return what the plugin returns; write its answer and its time to a file."""
        answers: list[provider.Answer] = []
        genuine = provider.answer

        def watched(environ: Mapping[str, str]) -> provider.Answer:
            answers.append(genuine(environ))
            return answers[-1]

        started = time.monotonic()
        provider.answer = watched
        try:
            configs = super().get_supported_configs()
        finally:
            provider.answer = genuine
        seconds = time.monotonic() - started
        with open(os.environ[TESTIMONY], "wb") as file:
            pickle.dump((answers, seconds), file)
        return configs
