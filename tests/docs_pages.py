"""What stands ready when the commands of a page are run: files, and variables of the shell."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from examples.torch.clients import clean_environment
from examples.torch.environment import ensure_environment
from nvidia_variant_provider.cli.main import main
from tests.docs_console import ROOT, Step, agrees, run_steps, steps_of
from tests.wheel_maker import files_of_wheel, pack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RECORDS: Final = ROOT / "tests" / "data" / "machines"
# For pages on which uv asks an index: our own, on loopback.
_ONLINE: Final = {"UV_FIND_LINKS": None, "UV_NO_INDEX": None, "UV_OFFLINE": None}


@dataclass(frozen=True)
class World:
    """Where the commands of a page are run.

    ``made`` writes what they find; with ``alternatives`` each of them finds it anew, since only one
    of them would be typed. ``changes`` are variables to set, or with ``None`` to unset.
    """

    made: Callable[[Path], None] = lambda _: None
    changes: Mapping[str, str | None] = field(default_factory=dict)
    alternatives: bool = False


def run_page(page: str, folder: Path) -> list[tuple[Step, tuple[str, ...]]]:
    """Run the commands of a page; return them with what they printed."""
    world, steps = WORLDS[page], [step for step in steps_of(page) if not _is_made(page, step)]
    if not world.alternatives:
        world.made(folder)
        return list(zip(steps, run_steps(steps, folder, world.changes), strict=True))
    found = []
    for number, step in enumerate(steps):
        inner = folder / str(number)
        inner.mkdir()
        world.made(inner)
        found += zip([step], run_steps([step], inner, world.changes), strict=True)
    return found


def disagreements(page: str, folder: Path) -> list[tuple[str, str, str]]:
    """Run a page; return each command with what the page shows and what came, where they differ."""
    return [
        (step.command, "\n".join(step.shown), "\n".join(printed))
        for step, printed in run_page(page, folder)
        if step.shown and not agrees(step.shown, printed)
    ]


def _is_made(page: str, step: Step) -> bool:
    """Tell whether ``_checkout`` has done it: an environment is kept, as making it takes long."""
    return page in CHECKOUTS and step.command.startswith(("python3 -m venv", "pip install"))


def _checkout(folder: Path) -> None:
    """Copy what a checkout has, and make the environment that the tutorial asks for."""
    for name in ("nvidia_variant_provider", "examples"):
        shutil.copytree(ROOT / name, folder / name)
    (install,) = (it for it in steps_of("tutorial.md") if it.command.startswith("pip install"))
    requirements = [it for it in shlex.split(install.command)[2:] if it != "--quiet"]
    python = ensure_environment("docs", requirements)
    (folder / "venv").symlink_to(python.parents[1])
    # An earlier run may have left it.
    uninstall = [str(python), "-m", "pip", "uninstall", "--quiet", "--yes", "saxpy"]
    subprocess.run(uninstall, env=clean_environment(), check=True, capture_output=True)


def _our_wheel(path: Path, name: str, version: str) -> None:
    """Write an ordinary wheel with our own kernels in it, under any name."""
    library = (ROOT / "tests" / "data" / "binaries" / "libaxpy.so").read_bytes()
    files = {
        key.replace("demo-1.0", f"{name}-{version}"): data
        for key, data in files_of_wheel({f"{name}/lib{name}.so": library}).items()
        if not key.endswith("RECORD")
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pack(files))


def _node(folder: Path) -> None:
    """Write ``node.json``, as ``detect --json`` prints it on an HGX H200."""
    record = json.loads((RECORDS / "headless-no-utils.json").read_text("utf-8"))
    (folder / "node.json").write_text(json.dumps(record["expected"]["machine"]))


def nodes_of_kubernetes() -> dict[str, Any]:
    """Return what ``kubectl get nodes -o json`` prints of a small fleet, as far as it is read."""

    def node(name: str, architecture: str, **gpu: str) -> dict[str, Any]:
        labels = {f"nvidia.com/{key.replace('_', '.', 1)}": it for key, it in gpu.items()}
        return {"kind": "Node", "metadata": {"name": name, "labels": labels}}

    return {"items": [node("a", "amd64")]}


CHECKOUTS: Final = ("tutorial.md", "how-to/source-builds.md")
WORLDS: Final[Mapping[str, World]] = {
    "tutorial.md": World(_checkout, {**_ONLINE, "VIRTUAL_ENV": None, "PIP_TARGET": None}),
}
_ = (main, sys)
