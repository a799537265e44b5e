"""What is fuzzed: every parser of detection, and detection as a whole on damaged machines.

A target takes a source of chance, makes one input, and raises if the promise is broken: nothing
but the documented error out of a parser; nothing at all out of detection, and no ``internal`` step.
"""

# ruff: noqa: PT017 - whether there is an error is not known beforehand
from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nvidia_variant_provider import machine_file, overrides
from nvidia_variant_provider.detect import answer, kernel, smi
from nvidia_variant_provider.detect.cascade import detect
from nvidia_variant_provider.detect.child import EXITED, ChildReply, End
from nvidia_variant_provider.detect.replay import ReplayHost
from nvidia_variant_provider.errors import (
    FleetError,
    InvalidValueError,
    MalformedReplyError,
    OverrideError,
)
from nvidia_variant_provider.model import ComputeCapability, CudaVersion, DriverRelease, SmArch
from nvidia_variant_provider.provider import decide_for, with_forced_facts
from nvidia_variant_provider.rules import RULE_SETS, catalogue, decide
from nvidia_variant_provider.tools import inventory
from nvidia_variant_provider.tools.inventory.resolve import resolve
from tests.fuzz.mutate import TOKENS, mutate
from tests.recorded import load_states

if TYPE_CHECKING:
    from random import Random

    from nvidia_variant_provider.model import Machine

Target = "Callable[[Random], None]"

MACHINES: Final[list[dict[str, Any]]] = [
    {"files": {}, "libraries": [], "programs": [], "environment": {}, **state.observed}
    for state in load_states()
]
ENDS: Final = ("exit 0", "exit 1", "signal 11", "timeout", "too much output", "not started: no")
ALL_VALUES: Final = {feature.name: set(feature.values) for feature in catalogue()}
VARIABLES: Final = {
    overrides.FORCE_CUDA: "12.8",
    overrides.FORCE_SM_ARCH: "9.0",
    overrides.MACHINE: "/no/such/machine.json",
    overrides.RULES: "1",
    overrides.GPU: "GPU-1234",
    overrides.TIMEOUT: "2.5",
    overrides.ROOT: "/no/such/root",
}


def _texts(of: str) -> list[str]:
    return ["\n".join(row["lines"]) for machine in MACHINES for row in machine[of] if row["lines"]]


FILE_TEXTS: Final = [
    text for machine in MACHINES for text in machine["files"].values() if isinstance(text, str)
]
REPLIES: Final = _texts("libraries")
PROGRAMS: Final = _texts("programs")
INVENTORIES: Final = [
    path.read_text("utf-8")
    for path in sorted(Path(__file__).parents[1].glob("data/inventory/*"))
    if not path.name.endswith((".expected.json", "SOURCES.tsv"))
]
DOCUMENT: Final = json.dumps(
    {
        "schema_version": 1,
        "platform": {"system": "linux", "architecture": "x86_64", "libc": "glibc"},
        "status": "ok",
        "driver_release": "580.65.06",
        "cuda_driver_version": "13.0",
        "gpus": [{"name": "NVIDIA H100", "uuid": "GPU-1", "compute_capability": "9.0"}],
        "notes": [{"code": "a", "text": "b"}],
    }
)


def fuzz_values(random: Random) -> None:
    """The value types read their own forms and nothing else."""
    text = mutate(random, random.choice(("12.8", "580.65.06", "9.0", "90a_real", "12")), FILE_TEXTS)
    for kind in (CudaVersion, DriverRelease, ComputeCapability, SmArch):
        try:
            value = kind.parse(text)
        except InvalidValueError:
            continue
        assert kind.parse(str(value)) == value


def fuzz_kernel_files(random: Random) -> None:
    """The driver's files hold a release or are malformed."""
    text = mutate(random, random.choice(FILE_TEXTS), FILE_TEXTS)
    for parse in (kernel.parse_module_version, kernel.parse_proc_version):
        try:
            release = parse(text)
        except MalformedReplyError:
            continue
        assert release.branch >= 0


def fuzz_library_reply(random: Random) -> None:
    """A child's lines are believed only where they make sense."""
    text = mutate(random, random.choice(REPLIES), REPLIES)
    reply = ChildReply(text, End.parse(random.choice(ENDS)) or EXITED, 0.1)
    found = answer.parse_answer(random.choice(("nvml", "cuda")), "lib", reply)
    found.describe()
    assert all(gpu.capability is None or gpu.capability.major <= 30 for gpu in found.gpus)
    assert all(len(gpu.name) <= 96 and len(gpu.uuid) <= 96 for gpu in found.gpus)
    assert found.cuda is None or found.cuda.major <= 99
    # What people see must be printable everywhere.
    repr(found).encode("utf-8")
    " ".join(gpu.name + gpu.uuid for gpu in found.gpus).encode("utf-8")


def fuzz_smi(random: Random) -> None:
    """The rows and the banner of nvidia-smi."""
    text = mutate(random, random.choice(PROGRAMS), PROGRAMS)
    for query in (smi.QUERY, smi.OLD_QUERY):
        smi.parse_rows(text, query)
    smi.parse_banner(text)


def fuzz_overrides(random: Random) -> None:
    """A variable is understood, or the error names it."""
    name, text = random.choice(list(VARIABLES.items()))
    environ = {**VARIABLES, name: mutate(random, text, [*VARIABLES.values()])}
    try:
        said = overrides.read_overrides(environ)
    except OverrideError as error:
        assert error.variable == name
        assert len(str(error)) < 600
        return
    assert 0.1 <= said.timeout <= overrides.MAX_TIMEOUT
    assert said.root.startswith("/")


def fuzz_machine_file(random: Random) -> None:
    """A machine file is a machine, and rules apply to it, or it is refused."""
    try:
        machine = machine_file.load(json.loads(mutate(random, DOCUMENT, TOKENS_AS_TEXTS)))
    except (ValueError, RecursionError):
        return
    assert machine_file.load(json.loads(json.dumps(machine_file.dump(machine)))) == machine
    assert_sound(machine)


def fuzz_machine(random: Random) -> None:
    """Detection on a recorded machine, with damage in any of its texts."""
    observed = _damaged(random, random.choice(MACHINES))
    host = ReplayHost(observed)
    found = detect(host, random.choice((0.1, 2.0, 10.0)))
    assert "internal" not in {step.probe for step in found.trail}, found.trail
    assert_sound(found.machine)
    try:
        said = overrides.read_overrides(host.environ)
        decide_for(found, said)
    except OverrideError:
        return
    assert_sound(with_forced_facts(found.machine, said))


def fuzz_inventory(random: Random) -> None:
    """An inventory, whatever is damaged in it, is read, or refused with a short error."""
    text = mutate(random, random.choice(INVENTORIES), INVENTORIES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "list")
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            entries = list(inventory.read(inventory.Partition(str(path))))
        except FleetError as error:
            assert len(str(error)) < 800
            return
    for entry in entries:
        if isinstance(entry, FleetError):
            assert len(str(entry)) < 800
            continue
        try:
            known = resolve(entry.machine)
        except InvalidValueError:
            continue
        assert all(gpu.number is None or gpu.number >= 0 for gpu in known.gpus)


def assert_sound(machine: Machine) -> None:
    """Whatever the machine: both rule sets say only what the catalogue lists, each thing once."""
    for rule_set in RULE_SETS:
        for feature in decide(machine, rule_set).features:
            assert feature.values
            assert len(set(feature.values)) == len(feature.values)
            if rule_set == 1:
                assert set(feature.values) <= ALL_VALUES[feature.name]


def _damaged(random: Random, machine: dict[str, Any]) -> dict[str, Any]:
    """Return a copy with another machine's parts, other ends, and damaged texts."""
    observed = copy.deepcopy(machine)
    other = random.choice(MACHINES)
    if random.random() < 0.2:
        observed["files"].update(copy.deepcopy(other["files"]))
    if random.random() < 0.2:
        observed["libraries"] = copy.deepcopy(other["libraries"])
    for _ in range(random.choice((1, 2, 5))):
        random.choice(_DAMAGES)(random, observed)
    return observed


def _damage_file(random: Random, observed: dict[str, Any]) -> None:
    files = observed["files"]
    if not files:
        return
    path = random.choice(list(files))
    if isinstance(files[path], str):
        files[path] = _as_read(mutate(random, files[path], FILE_TEXTS))
    elif "link" in files[path]:
        files[path]["link"] = _as_read(mutate(random, files[path]["link"], FILE_TEXTS))
    elif random.random() < 0.3:
        del files[path]


def _as_read(text: str) -> str:
    """Return the text as a file can hold it: there are no lone surrogates in bytes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _damage_reply(random: Random, observed: dict[str, Any]) -> None:
    rows = observed["libraries"] + observed["programs"]
    if not rows:
        return
    row = random.choice(rows)
    row["lines"] = mutate(random, "\n".join(row["lines"]), REPLIES).split("\n")
    row["end"] = random.choice((row["end"], row["end"], *ENDS))
    row["seconds"] = random.choice((row["seconds"], 0.0, 7.0, 100.0))


def _damage_environment(random: Random, observed: dict[str, Any]) -> None:
    environment = observed["environment"]
    name = random.choice((*environment, "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", *VARIABLES))
    text = environment.get(name, VARIABLES.get(name, "0"))
    environment[name] = mutate(random, text, FILE_TEXTS).replace("\0", "")


TOKENS_AS_TEXTS: Final = list(TOKENS)
_DAMAGES: Final = (_damage_file, _damage_reply, _damage_reply, _damage_environment)
# Shares of the cases: the whole machine is slower and reaches everything.
TARGETS: Final = (
    (fuzz_values, 10),
    (fuzz_kernel_files, 15),
    (fuzz_library_reply, 30),
    (fuzz_smi, 15),
    (fuzz_overrides, 10),
    (fuzz_machine_file, 10),
    (fuzz_machine, 7),
    (fuzz_inventory, 3),
)
