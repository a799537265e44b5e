"""What a command costs before it has done much, in bare starts of the interpreter.

``python -m benchmarks.start`` prints processor time as a multiple of ``python -c pass``. The
release is one metadata file with one CUDA build, so that little but the start is measured;
``tests/tools/cli/test_start.py`` lists what no command may import on the way.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.timing import (
    Case,
    clean_environment,
    describe_interpreter,
    install_compiled,
    run_quietly,
    take_turns,
)
from nvidia_variant_provider.tools.demo.wheels import release_metadata

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.metadata.model import Variant

FILE: Final = "demo-1.0-variants.json"
# Of explain and lint; the other commands are shown beside them.
GOAL: Final = 12
COMMANDS: Final = (
    ("--version",),
    ("--help",),
    ("explain", "--help"),
    ("explain", FILE, "--target", "h100@580"),
    ("lint", FILE),
    ("properties", "--target", "h100@580"),
)


def measure(rounds: int) -> None:
    """Print a line for each command."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        install_compiled(folder)
        variants: dict[str, Variant] = {
            "cuda12.6": {"nvidia": {"cuda_version_lower_bound": ("12.6",)}},
            "null": {},
        }
        (folder / FILE).write_text(release_metadata(variants).to_json())
        environment = clean_environment(folder)

        def case(title: str, *words: str) -> Case:
            placed = [str(folder / FILE) if word == FILE else word for word in words]
            return Case(title, lambda: run_quietly([sys.executable, *placed], environment))

        bare = case("bare start", "-c", "pass")
        cases = [
            case(" ".join(words), "-m", "nvidia_variant_provider", *words) for words in COMMANDS
        ]
        take_turns([bare, *cases], rounds)
    print(describe_interpreter())
    print(f"goal of explain and lint: {GOAL} bare starts of processor time")
    for timed in cases:
        print(f"{timed.cpu_ratio_to(bare):5.1f}  {timed.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    measure(parser.parse_args().rounds)
