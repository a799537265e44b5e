"""Ask the plugin through variantlib's loader and print, as JSON, what it got and what was found.

Run as a program: inside a private namespace this machine looks like another one.
"""

from __future__ import annotations

import json
import os
import pickle
import sys

from variantlib.plugins.loader import DictPluginLoader

from nvidia_variant_provider import machine_file
from tests.native.witness import TESTIMONY


def main() -> None:
    """Print one JSON object; ``machine`` is null where the gate said that nothing is here."""
    with DictPluginLoader({"nvidia": "tests.native.witness:WitnessPlugin"}) as loader:
        configs = loader.get_supported_configs()
    with open(os.environ[TESTIMONY], "rb") as file:
        answers, _ = pickle.load(file)  # noqa: S301 - written by our own witness
    machine = machine_file.dump(answers[0].detection.machine) if answers else None
    values = [[it.name, it.values] for it in configs["nvidia"].configs] if configs else []
    sys.stdout.write(json.dumps({"machine": machine, "values": values}))


if __name__ == "__main__":
    main()
