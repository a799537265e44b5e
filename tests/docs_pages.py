"""What stands ready when the commands of a page are run: files, and variables of the shell."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from examples.torch.clients import clean_environment
from examples.torch.environment import ensure_environment
from tests.docs_console import ROOT, TOOLS, Step, agrees, run_steps, steps_of
from tests.wheel_maker import DIST_INFO, WHEEL, cuda_wheel, pack, record_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

KERNELS: Final = {"libaxpy.so": (ROOT / "tests" / "data" / "binaries" / "libaxpy.so").read_bytes()}
RECORDS: Final = ROOT / "tests" / "data" / "machines"
# For pages on which uv asks an index: our own, on loopback.
_ONLINE: Final = {"UV_OFFLINE": None}


@dataclass(frozen=True)
class World:
    """Where the commands of a page are run.

    ``made`` writes what they find. With ``alternatives`` each of them finds it anew, and what the
    page itself made before, since only one of them would be typed. ``changes`` are variables to
    set, or with ``None`` to unset.
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
    found: list[tuple[Step, tuple[str, ...]]] = []
    first = [step for step in steps if " demo-index " in step.command]
    for number, step in enumerate(steps):
        inner = folder / str(number)
        inner.mkdir()
        world.made(inner)
        *_, printed = run_steps([*first, step], inner, world.changes)
        found.append((step, printed))
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
    commands = [shlex.split(step.command) for step in steps_of("tutorial.md")]
    installs = [words[2:] for words in commands if words[:2] == ["pip", "install"]]
    requirements = [word for words in installs for word in words if word != "--quiet"]
    python = ensure_environment("docs", requirements)
    (folder / "venv").symlink_to(python.parents[1])
    # An earlier run may have left it.
    uninstall = [str(python), "-m", "pip", "uninstall", "--quiet", "--yes", "saxpy"]
    subprocess.run(uninstall, env=clean_environment(), check=True, capture_output=True)


def _whole_checkout(folder: Path) -> None:
    """Copy what an installation from a checkout reads."""
    for name in ("nvidia_variant_provider", "docs"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, folder / name)


def _poetry(folder: Path) -> None:
    """Put Poetry, from an environment of its own, where the page finds it."""
    python = ensure_environment("view-poetry-alone", ["poetry==2.5.1"])
    tool = folder / TOOLS / "poetry"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nexec "{python.parent / "poetry"}" "$@"\n')
    tool.chmod(0o755)


def _our_wheel(path: Path, libraries: Mapping[str, bytes] = KERNELS) -> None:
    """Write an ordinary wheel with our own kernels in it, under any name."""
    name, version = path.name.split("-")[:2]
    files = {
        **{f"{name}/{library}": data for library, data in libraries.items()},
        f"{name}-{version}.dist-info/METADATA": (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
        ),
        f"{name}-{version}.dist-info/WHEEL": WHEEL,
    }
    record = f"{name}-{version}.dist-info/RECORD"
    rows = record_of(files).decode().replace(f"{DIST_INFO}/RECORD", record)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pack({**files, record: rows.encode()}))


def _mirror(folder: Path) -> None:
    """Write three wheels into ``mirror/``, one without device code, and one that is cut off."""
    mirror = folder / "mirror"
    mirror.mkdir()
    for index, targets in enumerate(("80 90a 90p", "80", "")):
        cuda_wheel(mirror, *targets.split(), name=f"demo{index}-1.0-py3-none-any.whl")
    (mirror / "cut-1.0-py3-none-any.whl").write_bytes(b"PK\x03\x04")


def _node(folder: Path) -> None:
    """Write ``node.json``, as ``detect --json`` prints it on a recorded machine."""
    record = str(RECORDS / "headless-no-utils.json")
    (folder / "node.json").write_bytes(_ask("detect", "--json", "--replay", record))


def _fleet(folder: Path) -> None:
    """Write ``nodes.json``, as ``kubectl get nodes -o json`` does, and other lists of machines."""
    nodes = [
        *(
            _kubernetes_node(f"h100-{it}", "NVIDIA-H100-80GB-HBM3", "9.0", "580.65.06", "13.0")
            for it in range(3)
        ),
        _kubernetes_node("a100-0", "NVIDIA-A100-SXM4-80GB", "8.0", "550.144.03", "12.4"),
        _kubernetes_node("b200-0", "NVIDIA-B200", "10.0", "570.133.20", "12.8"),
        {"metadata": {"name": "cpu-0", "labels": {"kubernetes.io/arch": "amd64"}}},
    ]
    (folder / "nodes.json").write_text(json.dumps({"items": nodes}))
    slurm = [{"name": "n1", "architecture": "x86_64", "gres": "gpu:h100:8(S:0-1)"}]
    (folder / "slurm.json").write_text(json.dumps({"nodes": slurm}))
    (folder / "fleet.csv").write_text("target,count\nh100@580,400\ngh200@580,20\n")


def _kubernetes_node(
    name: str, gpu: str, capability: str, driver: str, cuda: str
) -> dict[str, Any]:
    major, _, minor = capability.partition(".")
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "nvidia.com/gpu.product": gpu,
        "nvidia.com/gpu.compute.major": major,
        "nvidia.com/gpu.compute.minor": minor,
        "nvidia.com/cuda.driver-version.full": driver,
        "nvidia.com/cuda.runtime-version.full": cuda,
    }
    return {"metadata": {"name": name, "labels": labels}}


def _ordinary_wheels(folder: Path) -> None:
    """Write ``dist/foo...whl`` with kernels, and the like without any in ``cpu/``."""
    name = "foo-1.0-cp312-cp312-linux_x86_64.whl"
    _our_wheel(folder / "dist" / name)
    _our_wheel(folder / "cpu" / name, {})
    _our_wheel(folder / "xformers-0.0.35-py39-none-manylinux_2_28_x86_64.whl")
    (folder / "variants").mkdir()


def _variant_wheels(folder: Path) -> None:
    _ordinary_wheels(folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    _ask("tag", str(wheel), "-o", str(folder / "variants"))


def _ask(*arguments: str) -> bytes:
    """Run one of our commands and return what it prints."""
    command = [sys.executable, "-m", "nvidia_variant_provider", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout


CHECKOUTS: Final = ("tutorial.md", "how-to/source-builds.md")
_CHECKOUT: Final = World(_checkout, {**_ONLINE, "VIRTUAL_ENV": None, "PIP_TARGET": None})
_PLAIN: Final = World()
# The stand-ins alone are asked; neither a setting of this machine nor a target folder counts.
_PER_CUDA: Final = World(
    changes={
        **_ONLINE,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": None,
        "PIP_TARGET": None,
        "UV_PYTHON_DOWNLOADS": "never",
    }
)
_CODE: Final = {"TORCH_CUDA_ARCH_LIST": "8.0;12.0a"}
# explain.md and targets.md have tests of their own.
WORLDS: Final[Mapping[str, World]] = {
    "checking.md": _PLAIN,
    "completion.md": _PLAIN,
    "conformance.md": _PLAIN,
    "coverage.md": World(_fleet, alternatives=True),
    "index-folder.md": World(changes=_ONLINE),
    "index.md": _PLAIN,
    "installation.md": World(_whole_checkout, {**_ONLINE, "VIRTUAL_ENV": None, "PIP_TARGET": None}),
    "inspect.md": World(_ordinary_wheels),
    "records.md": _PLAIN,
    "rule-sets.md": _PLAIN,
    "survey.md": World(_mirror),
    "tag.md": World(_ordinary_wheels, _CODE, alternatives=True),
    "tutorial.md": _CHECKOUT,
    "verify.md": World(_variant_wheels),
    "views.md": _PER_CUDA,
    "how-to/air-gapped.md": _PER_CUDA,
    "how-to/conda.md": _PLAIN,
    "how-to/cpu-wheel.md": _PLAIN,
    "how-to/docker.md": _PLAIN,
    "how-to/drop-index-url.md": _PER_CUDA,
    "how-to/kubernetes.md": World(_fleet),
    "how-to/lock.md": _PER_CUDA,
    "how-to/login-node.md": World(_node),
    "how-to/pin-in-ci.md": _PLAIN,
    "how-to/pip-docker.md": _PER_CUDA,
    "how-to/poetry.md": World(_poetry, _PER_CUDA.changes),
    "how-to/report-a-bug.md": _PLAIN,
    "how-to/source-builds.md": _CHECKOUT,
    "how-to/team-server.md": _PER_CUDA,
    "how-to/uv-lock.md": _PER_CUDA,
}
