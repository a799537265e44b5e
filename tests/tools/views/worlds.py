"""What a row of installers needs: indexes of each kind, a machine, and what ``explain`` names."""

from __future__ import annotations

import contextlib
import io
import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from nvidia_variant_provider.tools.cli.main import main as command_line
from tests.tools.serve.server import Server, serving_views
from tests.tools.views.clients import Done, clean_environment, run
from tests.tools.views.stand_in import (
    ARM,
    LINUX,
    StandIn,
    cuda_index,
    main_index,
    make_wheel,
    nvidia_of,
    variant_index,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NO_GPU: Final = "no-gpu"
# A GPU newer than every build: code for sm_100 runs on it.
NEWER: Final = "sm_107@615"
X86_MACHINES: Final = (
    NO_GPU, "gtx-1080-ti@580", "v100@570", "h100@550", "rtx-5090@570", "rtx-5090@580",
    "a10+t4@580", NEWER,
)  # fmt: skip
ARM_MACHINES: Final = ("gh200@550", "gh200@580", "gb200@580", "dgx-spark@580")

PLAIN, VARIANTS, CUDA = "plain", "variants", "cuda"
PROJECTS: Final = {
    PLAIN: ("torch", "torchvision"),
    VARIANTS: ("torch",),
    CUDA: ("torch", "torchvision"),
}
SHOW: Final = "import torch; print(torch.build)"


class Ended(NamedTuple):
    """How an installer ended: torch's wheel by its name on the index, and projects with versions.

    Of what is locked the wheel has its plain name, and of what is installed the index's, which
    says its label.
    """

    torch: str
    projects: dict[str, str]


class Indexes:
    """The indexes of one kind: plain, of variants or as PyTorch has them, and a server of views."""

    def __init__(self, kind: str, folder: Path, stack: contextlib.ExitStack) -> None:
        self.kind = kind
        self.folder = folder
        self._stack = stack
        self._named: dict[tuple[str, bool], Ended] = {}
        index = variant_index(platforms=(LINUX, ARM)) if kind == VARIANTS else main_index()
        _add_application(index, PROJECTS[kind])
        self.main = stack.enter_context(index.serving())
        self.cuda = stack.enter_context(cuda_index().serving()) if kind == CUDA else ""
        self.no_gpu = folder / "no-gpu.json"
        self.no_gpu.write_text(json.dumps({"status": "none"}))

    @cached_property
    def server(self) -> Server:
        return self._stack.enter_context(serving_views(self.folder, self.main, self.cuda))

    def options(self, target: str) -> list[str]:
        """Return the options that name the machine, and PyTorch's indexes."""
        machine = ["--machine", str(self.no_gpu)] if target == NO_GPU else ["--target", target]
        return [*machine, *(["--cuda-index", f"{self.cuda}/whl"] if self.cuda else [])]

    def named(self, target: str, *, locked: bool) -> Ended:
        """Return what ``explain`` names for a machine, and what the wheels that it names require.

        The libraries follow from the label, as the stand-ins are made: cu126 requires 1.126.
        """
        if (target, locked) not in self._named:
            self._named[target, locked] = self._name(target, locked=locked)
        return self._named[target, locked]

    def _name(self, target: str, *, locked: bool) -> Ended:
        found = [self._explain(project, target) for project in PROJECTS[self.kind]]
        wheel, label = found[0]
        library = re.match(r"([\w-]+)==([\d.]+)", nvidia_of(_digits_of(label)))
        libraries = {library[1].replace("-", "_"): library[2]} if library else {}
        projects = {
            project: name.split("-")[1]
            for project, (name, _) in zip(PROJECTS[self.kind], found, strict=True)
        }
        if self.kind == VARIANTS and not locked:
            wheel = wheel.replace(".whl", f"-{label}.whl")
        return Ended(wheel, {**projects, "typing_extensions": "4.12.0", **libraries})

    def _explain(self, project: str, target: str) -> tuple[str, str]:
        """Return the wheel and the label that ``explain`` names."""
        words = ["explain", f"{self.main}/simple/", "--package", project, "--through-view"]
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            assert command_line([*words, *self.options(target)]) == 0
        match = re.search(r"pip installs (\S+) \((\S+)\)", said.getvalue())
        assert match is not None, said.getvalue()
        return match[1], match[2]


def _digits_of(label: str) -> str:
    """Return a label as PyTorch's indexes have it: cuda12.6 and cu126 are one."""
    digits = re.sub(r"\D", "", label)
    return f"cu{digits}" if digits else "cpu"


def _add_application(index: StandIn, requires: tuple[str, ...]) -> None:
    """Add what pipx installs: an application that prints the build of its torch."""
    name = "app-1.0-py3-none-any.whl"
    files = {
        "app-1.0.dist-info/entry_points.txt": "[console_scripts]\napp = app:main\n",
        "app/__init__.py": f"def main():\n    {SHOW}\n",
    }
    index.add_page("/simple/", "app", {name: make_wheel(name, requires, files)})


class World:
    """A folder of its own, a machine, and indexes of one kind."""

    def __init__(self, folder: Path, indexes: Indexes, target: str) -> None:
        self.folder = folder
        self.indexes = indexes
        self.target = target
        self.is_arm = target in ARM_MACHINES
        self.projects = PROJECTS[indexes.kind]
        index = f"{indexes.main}/simple/"
        names = (
            "PIP_INDEX_URL", "UV_DEFAULT_INDEX", "PDM_PYPI_URL", "PIPENV_PYPI_MIRROR",
            "POETRY_PYPI_MIRROR_URL",
        )  # fmt: skip
        (folder / "home").mkdir()
        self.environ = clean_environment(folder / "home", **dict.fromkeys(names, index))

    @property
    def served(self) -> str:
        """The address of this machine's view on the server."""
        name = "cpu" if self.target == NO_GPU else self.target
        return self.indexes.server.view(name)

    def try_run(self, *command: str | Path, environ: Mapping[str, str] | None = None) -> Done:
        """Run a command through a view; return how it ended."""
        settings = {**self.environ, **(environ or {})}
        return run(self.indexes.options(self.target), command, settings, self.folder)

    def run(self, *command: str | Path, environ: Mapping[str, str] | None = None) -> None:
        """Run a command through a view; it has to succeed."""
        done = self.try_run(*command, environ=environ)
        assert done.code == 0, done.output
