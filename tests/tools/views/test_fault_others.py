"""Faults of an index as Poetry, PDM, Pipenv and Hatch meet them through ``run``."""

from __future__ import annotations

import contextlib
import re
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.tools.views.clients import run
from tests.tools.views.faulty import NETWORK, WRONG_LOGIN
from tests.tools.views.test_fault_clients import PASSWORD, demo_index, hinted
from tests.tools.views.ways import at_the_server, pipfile, project, tool
from tests.tools.views.worlds import CUDA, Indexes, World

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.clients,
    pytest.mark.deep,
    pytest.mark.skipif(sys.platform != "linux", reason="the stand-in wheels are for Linux"),
]
# With a lock, made before at an address that stays.
OTHERS: Final = {
    "poetry": ["install", "-n"],
    "pdm": ["sync"],
    "pipenv": ["sync"],
    "hatch": ["env", "create"],
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("fault", ["down", "denied"])
def test_a_fault_that_other_installers_meet(tmp_path: Path, name: str, fault: str) -> None:
    (tmp_path / "server").mkdir()
    (tmp_path / "app").mkdir()
    index = demo_index()
    index.login = "me:another"
    with contextlib.ExitStack() as stack:
        world = World(tmp_path / "app", Indexes(CUDA, tmp_path / "server", stack), "h100@550")
        prepare(world, name)
        main = stack.enter_context(index.serving()) if fault == "denied" else "http://127.0.0.1:9"
        address = f"{main.replace('//', f'//me:{PASSWORD}@')}/simple/"
        names = [key for key in world.environ if key.endswith(("INDEX_URL", "PYPI_URL", "MIRROR"))]
        environ = {
            **world.environ,
            **dict.fromkeys([*names, "POETRY_PYPI_MIRROR_URL", "UV_DEFAULT_INDEX"], address),
            "POETRY_VIRTUALENVS_IN_PROJECT": "1",
            "PIPENV_VENV_IN_PROJECT": "1",
        }
        done = run(
            world.indexes.options("h100@550"), [tool(name), *OTHERS[name]], environ, world.folder
        )

    assert (done.code != 0, PASSWORD in done.output) == (True, False), done.output
    words = "401 Unauthorized" if fault == "denied" else r"\[Errno 111\] Connection refused"
    # Each asks for another project first.
    assert re.search(
        rf"^warning: ([\w-]+): {main}/simple/\1/: {words}", done.output, re.MULTILINE
    ), done.output
    assert hinted(done.output, WRONG_LOGIN if fault == "denied" else NETWORK), done.output


def prepare(world: World, name: str) -> None:
    """Lock a project as its installer has it."""
    if name == "hatch":
        (world.folder / "pyproject.toml").write_text(
            '[project]\nname = "app"\nversion = "1"\n[tool.hatch.envs.default]\n'
            'skip-install = true\npath = "made"\ndependencies = ["torch"]\n'
        )
    elif name == "pipenv":
        pipfile(world)
        at_the_server(world, tool(name), "lock", PIPENV_VENV_IN_PROJECT="1")
    else:
        tables = {"poetry": "poetry]\npackage-mode", "pdm": "pdm]\ndistribution"}
        project(world, f"[tool.{tables[name]} = false\n")
        cache = {f"{name.upper()}_CACHE_DIR": str(world.folder / "c")}
        at_the_server(world, tool(name), "lock", **cache)
