"""What detection costs on each kind of machine, in time and in processes.

Run as ``python -m benchmarks.detection [--rounds N]`` from the repository, on Linux, with gcc: the
machines are folders with compiled stand-ins for the driver's libraries. Every row is paired with a
bare interpreter start (``python -c pass``) and with probing as it is done with ``nvidia-smi``: an
interpreter that runs the program three times (the query, ``-q``, and the banner) on the same
machine. Our interpreter has loaded what variantlib's worker has. The stand-ins answer at once
unless the row says otherwise; a driver does not. On a busy machine compare processor time.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

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
from tests.native.build import FOLDER, R580, compile_stand_ins
from tests.native.machines import ForgedMachine, gpu_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SOUND: Final = R580 + gpu_lines()
SLOW_START: Final = f"{SOUND}at init pause 25\n"
HANG: Final = f"{SOUND}at init sleep 600\n"
DEADLINE: Final = 2.0
NO_NVIDIA: Final = "no NVIDIA (this one)"
# What variantlib's worker has loaded before it asks a plugin.
PRELUDE: Final = "import argparse, dataclasses, functools, importlib, json, re, typing\n"
ASK: Final = (
    PRELUDE + "from nvidia_variant_provider.plugin import NvidiaVariantPlugin as plugin\n"
    "plugin.get_supported_configs()"
)
# Counts the programs that are started; fork() without exec() is the guard of a probe.
COUNT: Final = f"""
import sys
started, starts = [], {{"os.posix_spawn", "subprocess.Popen"}}
sys.addaudithook(lambda event, _: started.append(event) if event in starts else None)
{ASK}
print(len(started))
"""
PROBE_WITH_SMI: Final = """
import subprocess, sys
for arguments in (["--query-gpu=compute_cap", "--format=csv,noheader"], ["-q"], []):
    try:
        subprocess.run([sys.argv[1], *arguments], capture_output=True)
    except FileNotFoundError:
        pass
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of machine, timed in three ways."""

    name: str
    ours: Case
    smi: Case
    bare: Case
    started: int


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=21)
    rounds: int = parser.parse_args().rounds
    if has_sign(Files(), sys.platform):
        print("this machine has NVIDIA hardware: it is no machine to compare with", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        report(measure(Path(folder), rounds), rounds)
    return 0


def kinds() -> dict[str, Callable[[ForgedMachine], None]]:
    """Return what makes each kind of machine out of an empty folder."""

    def with_driver(**libraries: str) -> Callable[[ForgedMachine], None]:
        def make(machine: ForgedMachine) -> None:
            machine.add_driver()
            machine.add_pci_gpu()
            for api, conf in libraries.items():
                machine.install(api, conf)

        return make

    return {
        NO_NVIDIA: lambda _: None,
        "kernel files only": with_driver(),
        "NVML": with_driver(nvml=SOUND),
        "NVML absent, libcuda": with_driver(cuda=SOUND),
        "NVML, libcuda confirms": with_driver(nvml=SOUND.replace("13000", "13010"), cuda=SOUND),
        "NVML, 25 ms to start": with_driver(nvml=SLOW_START),
        "everything hangs": with_driver(nvml=HANG, cuda=HANG),
    }


def measure(folder: Path, rounds: int) -> list[Row]:
    """Time every kind of machine."""
    stand_ins = compile_stand_ins(folder)
    package = folder / "package"
    package.mkdir()
    install_compiled(package)
    environment = clean_environment(package)
    rows = []
    for number, (name, make) in enumerate(kinds().items()):
        machine = ForgedMachine(folder / str(number), stand_ins)
        machine.root.mkdir()
        make(machine)
        rows.append(time_machine(name, machine, environment, rounds))
    return rows


def time_machine(
    name: str, machine: ForgedMachine, environment: Mapping[str, str], rounds: int
) -> Row:
    """Time our detection, nvidia-smi's way and a bare start by turns."""
    hangs = name == "everything hangs"
    smi = build_smi(machine)
    inside = {**environment, "NV_VARIANT_PROVIDER_TIMEOUT": str(DEADLINE)}
    inside["NV_VARIANT_PROVIDER_ROOT"] = str(machine.root)
    if name == NO_NVIDIA:
        # A folder that stands for the machine is an override, and looked at more closely.
        inside = dict(environment)
    ours = Case(name, lambda: run_quietly([sys.executable, "-c", ASK], inside))
    probing = Case(
        "nvidia-smi", lambda: run_quietly([sys.executable, "-c", PROBE_WITH_SMI, smi], environment)
    )
    bare = Case("bare", lambda: run_quietly([sys.executable, "-c", "pass"], environment))
    # Nothing ends three programs that hang: that column stays empty.
    take_turns([ours, bare] if hangs else [ours, probing, bare], 3 if hangs else rounds)
    counted = subprocess.run(
        [sys.executable, "-c", COUNT],
        cwd="/",
        env=inside,
        check=True,
        capture_output=True,
        text=True,
    )
    return Row(name, ours, probing, bare, int(counted.stdout))


def build_smi(machine: ForgedMachine) -> str:
    """Give the machine an ``nvidia-smi`` that detection does not find, where it has NVML."""
    program = machine.root / "elsewhere" / "usr" / "bin" / "nvidia-smi"
    source = Path(__file__).resolve().parents[1] / "tests" / "native" / "smi.c"
    program.parent.mkdir(parents=True)
    if (machine.root / FOLDER / "libnvidia-ml.so.1").exists():
        libraries = f'-DFOLDER="/../{FOLDER}/"'
        subprocess.run(["gcc", "-w", libraries, str(source), "-o", str(program)], check=True)
    return str(program)


def report(rows: list[Row], rounds: int) -> None:
    """Print the table; the first row is the machine without NVIDIA."""
    print(f"{describe_interpreter()}; medians of {rounds} paired runs; deadline {DEADLINE:g} s\n")
    print(
        "| machine | ms | x bare start | starts above no NVIDIA | of processor time | programs |"
        " x nvidia-smi | of processor time |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        smi, smi_cpu = "never ends", "never ends"
        if row.smi.wall:
            smi, smi_cpu = (
                f"{row.ours.ratio_to(row.smi):.2f}",
                f"{row.ours.cpu_ratio_to(row.smi):.2f}",
            )
        print(
            f"| {row.name} | {row.ours.milliseconds:.0f} | {row.ours.ratio_to(row.bare):.2f} "
            f"| {above(row, rows[0], 'wall'):.2f} | {above(row, rows[0], 'cpu'):.2f} "
            f"| {row.started} | {smi} | {smi_cpu} |"
        )
    hanging = rows[-1].ours.milliseconds / 1000
    print(f"\neverything hanging takes {hanging / DEADLINE:.2f} x the deadline")


def above(row: Row, none: Row, kind: Literal["wall", "cpu"]) -> float:
    """Return how many bare interpreter starts a machine costs beyond one without NVIDIA."""
    cases = (row.ours, none.ours, row.bare)
    ours, base, bare = (
        statistics.median(case.wall if kind == "wall" else case.cpu) for case in cases
    )
    return (ours - base) / bare


if __name__ == "__main__":
    sys.exit(main())
