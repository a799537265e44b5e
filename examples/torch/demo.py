"""Shows what real installers choose on NVIDIA machines: ``python3 examples/torch/demo.py``.

Makes an environment with this project, variantlib and uv on the first run, then starts
``show.py`` in it. ``--here`` takes the running interpreter's environment instead; every other
argument goes to ``show.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from examples.torch.environment import SetUpError, ensure_environment  # noqa: E402

UV = "uv==0.13.9"


def main() -> int:
    """Set up, run, and hand on the exit code; 2 if the set-up failed."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--here"]
    try:
        here = len(arguments) < len(sys.argv) - 1
        python = (
            Path(sys.executable) if here else ensure_environment("demo", ["-e", ".[tools]", UV])
        )
    except SetUpError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    command = [str(python), "-m", "examples.torch.show", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(command, env=environment, cwd=PROJECT) as child:
        try:
            return child.wait()
        except KeyboardInterrupt:
            # The child has had the signal, too, and says so.
            return child.wait()


if __name__ == "__main__":
    sys.exit(main())
