"""What the plugin costs an installer on a machine without NVIDIA.

Run as ``python -m benchmarks.plugin [--rounds N]`` from the repository, in an environment with
variantlib. Two comparisons, each paired: variantlib's worker with our plugin against the same
worker with a plugin that does nothing; and a fresh interpreter that imports and asks our plugin
against one that does nothing (``python -c pass``).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from variantlib.plugins.loader import DictPluginLoader

from benchmarks.timing import (
    Case,
    clean_environment,
    describe_interpreter,
    install_compiled,
    run_quietly,
    take_turns,
)
from nvidia_variant_provider.detect.files import Files
from nvidia_variant_provider.detect.gate import has_sign

OURS: Final = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"
EMPTY: Final = "empty_plugin:EmptyPlugin"
EMPTY_SOURCE: Final = """
class EmptyPlugin:
    @classmethod
    def get_supported_configs(cls):
        return []

    @classmethod
    def get_all_configs(cls):
        return []
"""
ASK: Final = (
    "from nvidia_variant_provider.plugin import NvidiaVariantPlugin as plugin\n"
    "assert plugin.get_supported_configs() == []"
)
WORKER_TARGET: Final = 1.10
BARE_TARGET: Final = 2.0


def main() -> int:
    """Measure, print the table, and return 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=41)
    rounds: int = parser.parse_args().rounds
    if has_sign(Files(), sys.platform):
        print("this machine has NVIDIA hardware: nothing to measure here", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        return report(measure(Path(folder), rounds), rounds)


def measure(folder: Path, rounds: int) -> list[Case]:
    """Time the worker and the bare interpreter, each with and without the plugin."""
    (folder / "empty_plugin.py").write_text(EMPTY_SOURCE, encoding="utf-8")
    install_compiled(folder)
    environment = clean_environment(folder)
    os.environ.update(environment)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    cases = [
        Case("worker, empty plugin", lambda: ask_worker(EMPTY)),
        Case("worker, this plugin", lambda: ask_worker(OURS)),
        Case("python -c pass", lambda: run_quietly([sys.executable, "-c", "pass"], environment)),
        Case("python, plugin asked", lambda: run_quietly([sys.executable, "-c", ASK], environment)),
    ]
    take_turns(cases, rounds)
    return cases


def ask_worker(plugin_api: str) -> None:
    """Ask a plugin in variantlib's worker, past variantlib's cache."""
    question = json.dumps({"get_supported_configs": {}}).encode()
    reply = DictPluginLoader({})._run_call_subprocess((plugin_api,), question, ())  # noqa: SLF001
    assert reply == {"get_supported_configs": {plugin_api: []}}  # noqa: S101


def report(cases: list[Case], rounds: int) -> int:
    """Print the table; return 1 if a target is missed."""
    empty, worker, bare, asked = cases
    rows = [(worker, empty, WORKER_TARGET), (asked, bare, BARE_TARGET)]
    print(f"{describe_interpreter()}; medians of {rounds} paired runs\n")
    print("| case | ms | against | ms | ratio | of processor time | target |")
    print("|---|---|---|---|---|---|---|")
    for case, base, target in rows:
        print(
            f"| {case.name} | {case.milliseconds:.1f} | {base.name} | {base.milliseconds:.1f} "
            f"| {case.ratio_to(base):.3f} | {case.cpu_ratio_to(base):.3f} | {target:.2f} |"
        )
    return int(any(case.ratio_to(base) > target for case, base, target in rows))


if __name__ == "__main__":
    sys.exit(main())
