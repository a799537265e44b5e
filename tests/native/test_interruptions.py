"""What a host may do while it is asked: raise from a signal handler, fork, ignore its children."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.native.asking import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

PCI: Final = "sys/bus/pci/devices/0000:01:00.0"
FILES: Final = {
    "sys/module/nvidia/version": "580.65.06\n",
    f"{PCI}/vendor": "0x10de\n",
    f"{PCI}/class": "0x030200\n",
    f"{PCI}/device": "0x2330\n",
    "dev/nvidia0": "",
    "usr/lib64/libnvidia-ml.so.1": "\x7fELF\x02" + "\0" * 13 + "{machine}\0",
}
LINES: Final = (
    *("loaded\tx", "init\t0", "driver\t0\t580.65.06", "cuda\t0\t13000", "count\t0\t1"),
    *("gpu\t0\t0", "capability\t0\t0\t9\t0", "end"),
)
MOMENTS: Final = 200

# The interpreter that the worker is started with is replaced by a shell that says its lines at
# once: two hundred starts of Python would cost half a minute.
HOST: Final = """
import gc, json, os, sys
from nvidia_variant_provider import plugin

sys.executable = sys.argv[1]
ask = plugin.NvidiaVariantPlugin.get_supported_configs

def forget():
    plugin._memory = plugin._Memory(os.getpid())

def state():
    try:
        children = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        children = None
    held = plugin._memory.asking.locked()
    return [len(os.listdir("/proc/self/fd")), children, gc.isenabled(), held]
"""
INTERRUPTED: Final = """
KINDS = (TimeoutError, ValueError, KeyboardInterrupt)
reached = []

def ask_until(moment, kind=None):
    forget()
    seen = 0
    def handler(frame, event, argument):
        # Where Python runs signal handlers: when a function begins, and after a call of C.
        nonlocal seen
        if event in ("call", "c_return"):
            seen += 1
            if seen == moment:
                sys.setprofile(None)
                raise kind("the host's own")
    sys.setprofile(handler)
    try:
        ask()
    except BaseException as error:
        assert type(error) is kind and str(error) == "the host's own", repr(error)
        reached.append(moment)
        assert plugin._memory.supported is None
    finally:
        sys.setprofile(None)
    return seen

ask()
before = state()
total = ask_until(None)
step = max(1, total // MOMENTS)
for moment in range(1, step * MOMENTS, step):
    ask_until(moment, KINDS[moment % 3])
    if state() != before:
        print(json.dumps(["changed", moment, before, state()]))
        break
else:
    forget()
    print(json.dumps(["as it was", len(reached), [config.name for config in ask()]]))
"""
FORKED: Final = """
import threading, time
thread = threading.Thread(target=ask)
thread.start()
while not plugin._memory.asking.locked() or not any(map(str.isdecimal, open("CHILDREN").read())):
    time.sleep(0.001)
read, write = os.pipe()
pid = os.fork()
if pid == 0:
    os.write(write, json.dumps([[config.name for config in ask()], gc.isenabled()]).encode())
    os._exit(0)
os.close(write)
thread.join()
print(os.read(read, 4096).decode())
os.waitpid(pid, 0)
"""


def host(folder: Path, lines: str, pause: str = "0") -> Any:  # noqa: ANN401 - what JSON holds
    """Run the lines in a process of their own, on a machine with an H100."""
    machine = {"x86_64": "\x3e", "aarch64": "\xb7"}[os.uname().machine]
    for path, text in FILES.items():
        file = folder / "root" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("{machine}", machine), "latin-1")
    (folder / "root" / PCI / "driver").symlink_to("../../../../bus/pci/drivers/nvidia")
    said = "".join(f"printf '\\n%s\\t%s\\n' \"$8\" '{line}'\n" for line in LINES)
    python = folder / "python-that-says-its-lines"
    python.write_text(f"#!/bin/sh\nsleep {pause}\n{said}", "utf-8")
    python.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", HOST + lines, str(python)],
        cwd=REPOSITORY,
        env={**os.environ, "NV_VARIANT_PROVIDER_ROOT": str(folder / "root")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_exception_of_the_host_at_any_moment_leaves_the_process_as_it_was(
    tmp_path: Path,
) -> None:
    verdict, reached, features = host(tmp_path, INTERRUPTED.replace("MOMENTS", str(MOMENTS)))

    assert (verdict, features[-1]) == ("as it was", "sm_arch"), (verdict, reached, features)
    assert reached >= MOMENTS * 0.9


@pytest.mark.parametrize("collecting", ["gc.enable()", "gc.disable()"])
def test_a_process_that_is_forked_while_another_thread_asks_asks_anew(
    tmp_path: Path, collecting: str
) -> None:
    children = "/proc/{os.getpid()}/task/{thread.native_id}/children"
    lines = collecting + FORKED.replace('"CHILDREN"', f'f"{children}"')

    features, is_collecting = host(tmp_path, lines, pause="1")

    assert features == ["cuda_version_lower_bound", "cuda_version_upper_bound", "sm_arch"]
    assert is_collecting is (collecting == "gc.enable()")
