"""Runs tests against one mutant, in a forked child that imports the mutant in place of the module.

Nothing on disk changes. pytest and the libraries behind the tests are imported once, in the
parent; the package itself only in the children, so that nothing of it is kept between two trials.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Final

import hypothesis
import pytest

from tests.mutation.plan import LEFT_OUT, MARKS, PACKAGE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType

# What tests import besides the package: loaded once for all trials.
_LIBRARIES: Final = (
    "backports.zstd", "hypothesis.strategies", "jsonschema", "packaging.requirements", "pydantic",
    "variantlib.resolver.lib", "variantlib.resolver.sorting",
)  # fmt: skip
# Bytes of address space: a mutant that allocates without end fails instead of starving others.
MEMORY: Final = 3 << 30
_PROFILE: Final = "mutation"


class Outcome(Enum):
    """What came of a trial; all but ``SURVIVED`` mean that a test noticed."""

    KILLED = "killed"
    HUNG = "hung"
    SURVIVED = "survived"


class _MutantFinder(importlib.abc.MetaPathFinder):
    """Finds one module: the mutant."""

    def __init__(self, module: str, path: str, source: str) -> None:
        self.module, self.path, self.source = module, path, source

    def find_spec(
        self, fullname: str, path: object, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Answer for the mutated module only."""
        del path, target
        if fullname != self.module:
            return None
        loader = _MutantLoader(fullname, self.path)
        loader.source = self.source
        return importlib.util.spec_from_file_location(fullname, self.path, loader=loader)


class _MutantLoader(importlib.machinery.SourceFileLoader):
    source = ""

    def get_code(self, fullname: str) -> CodeType:
        del fullname
        return compile(self.source, self.path, "exec", dont_inherit=True)


def prepare() -> None:
    """Import what all trials need, and tell Hypothesis to draw the same examples each time."""
    for name in _LIBRARIES:
        with suppress(ImportError):  # which are there depends on the interpreter
            importlib.import_module(name)
    loaded = [name for name in sys.modules if name.partition(".")[0] == PACKAGE]
    assert not loaded, f"trials would share {loaded}"
    hypothesis.settings.register_profile(
        _PROFILE,
        max_examples=25,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )


def attempt(
    module: str, source: str, tests: Sequence[str], seconds: float
) -> tuple[Outcome, float]:
    """Run the tests with a module of this source; returns the processor time as well.

    ``seconds`` is the limit, of processor time: a busy machine makes no mutant look hung.
    """
    child = os.fork()
    if child == 0:
        _run(module, source, tests, seconds)
    # A mutant may also sleep, or wait for something that never comes.
    deadline = time.monotonic() + 20 * seconds
    while time.monotonic() < deadline:
        done, status, used = os.wait4(child, os.WNOHANG)
        if done:
            return _outcome(status), used.ru_utime + used.ru_stime
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return Outcome.HUNG, seconds


def _outcome(status: int) -> Outcome:
    if os.WIFSIGNALED(status):
        return Outcome.HUNG if os.WTERMSIG(status) == signal.SIGXCPU else Outcome.KILLED
    code = os.waitstatus_to_exitcode(status)
    assert code != pytest.ExitCode.NO_TESTS_COLLECTED, "no tests were found"
    return Outcome.SURVIVED if code == pytest.ExitCode.OK else Outcome.KILLED


def _run(module: str, source: str, tests: Sequence[str], seconds: float) -> None:
    """Become the child: limits, no output, the mutant in place of the module, pytest."""
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 10))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        name = f"{PACKAGE}/{module}".removesuffix(".py").replace("/", ".")
        finder = _MutantFinder(
            name.removesuffix(".__init__"), os.path.abspath(f"{PACKAGE}/{module}"), source
        )
        sys.meta_path.insert(0, finder)
        # Looking for plugins costs as much as most trials.
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        options = ["-x", "-q", "--tb=no", "-p", "no:cacheprovider"]
        options += ["-p", "_hypothesis_pytestplugin"]
        options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        options += [f"--hypothesis-profile={_PROFILE}", "-m", MARKS]
        options += ["-k", " and ".join(f"not {name}" for name in LEFT_OUT)]
        code = pytest.main([*options, *(f"tests/{path}" for path in tests)])
    finally:
        os._exit(code)
