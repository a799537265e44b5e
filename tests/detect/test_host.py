"""The host: how it starts its worker, and what it says of the interpreter it runs in."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.detect import host as hosts
from nvidia_variant_provider.detect import worker
from nvidia_variant_provider.detect.child import End, Ending
from nvidia_variant_provider.detect.host import RealHost
from nvidia_variant_provider.detect.spawn import run_worker
from nvidia_variant_provider.model import Platform
from tests.native.build import R580
from tests.native.machines import ForgedMachine, gpu_lines

if TYPE_CHECKING:
    from pathlib import Path

    from tests.native.build import StandIns


@pytest.fixture
def library(tmp_path: Path, stand_ins: StandIns) -> str:
    machine = ForgedMachine(tmp_path, stand_ins)
    return str(machine.install("nvml", R580 + gpu_lines()))


@pytest.mark.parametrize("system", ["linux", "win32"])
def test_a_library_is_asked_on_every_system(library: str, system: str) -> None:
    host = RealHost()
    # On Windows the worker is started in another way, which works here as well.
    host.platform = Platform(system, host.platform.architecture)

    reply = host.ask_library("nvml", library, 20)

    assert reply.text.splitlines()[0] == f"loaded\t{library}"
    assert reply.text.splitlines()[-1] == "end"
    assert str(reply.end) == "exit 0"


def test_a_worker_out_of_an_archive_runs_from_its_source(library: str) -> None:
    command = hosts.worker_command(os.path.join("no such folder", "worker.py"))

    reply = run_worker([*command, "nvml", "token", library], {}, 20)

    assert reply.text.splitlines()[-1] == "token\tend"


def test_without_an_interpreter_no_library_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")

    assert hosts.worker_command() == []
    assert RealHost().ask_library("nvml", "libno-such-driver.so", 5).end == End(
        Ending.NOT_STARTED, detail="this program is not a Python interpreter"
    )


def test_without_an_interpreter_a_program_is_run_unguarded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "")

    reply = RealHost().run_program(["/bin/sh", "-c", "pwd; echo $LC_ALL"], 10)

    assert (reply.text, str(reply.end)) == ("/\nC\n", "exit 0")


@pytest.mark.parametrize(
    ("python", "found"),
    [
        ({"executable": "/opt/bin/python3.12"}, "/opt/bin/python3.12"),
        ({"executable": "/opt/bin/pypy3"}, "/opt/bin/pypy3"),
        ({"executable": "/opt/bin/blender"}, ""),
        ({"executable": "python3"}, ""),
        ({"executable": ""}, ""),
        ({"executable": None}, ""),
        ({"executable": "/opt/bin/python3", "frozen": True}, ""),
        (
            {"executable": "/venv/python.exe", "platform": "win32", "_base_executable": ""},
            "/venv/python.exe",
        ),
        (
            {
                "executable": "/venv/python.exe",
                "platform": "win32",
                "_base_executable": "/base/Python.exe",
            },
            "/base/Python.exe",
        ),
    ],
)
def test_the_interpreter_is_one_that_can_be_started(python: dict[str, object], found: str) -> None:
    assert hosts.find_interpreter(SimpleNamespace(**python)) == found


@pytest.mark.parametrize(
    ("told", "architecture"), [("AMD64", "x86_64"), ("ARM64", "aarch64"), ("x86", ""), ("", "")]
)
def test_windows_tells_its_architecture_in_a_variable(
    monkeypatch: pytest.MonkeyPatch, told: str, architecture: str
) -> None:
    monkeypatch.setenv("PROCESSOR_ARCHITECTURE", told)

    assert hosts.read_platform("win32") == Platform("win32", architecture)


def test_a_small_interpreter_on_a_large_machine_is_small() -> None:
    large = hosts.read_platform("linux").architecture
    small = hosts.read_platform("linux", pointer=2**31 - 1).architecture

    assert {"x86_64": "i686", "aarch64": "armv7l"}.get(large, large) == small


def test_other_systems_have_no_c_library_to_name() -> None:
    assert not hosts.read_platform("darwin").libc


def test_a_c_library_that_does_not_know_the_name_is_musl() -> None:
    assert hosts.read_libc("CS_NO_SUCH_NAME") == "musl"
    assert hosts.read_libc() == "glibc"


def test_the_worker_of_this_package_is_the_one_that_is_started() -> None:
    *_, lines, folder = hosts.worker_command()

    assert lines.endswith("import worker; worker.main(*sys.argv[1:])")
    assert os.path.samefile(folder, os.path.dirname(worker.__file__))


def test_the_clock_goes_on() -> None:
    host = RealHost()

    assert host.monotonic() <= host.monotonic()
