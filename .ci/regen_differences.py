"""Write ``docs/differences.md``: where the old rules and the old detection go wrong, and for whom.

The rules' part comes from ``tests/data/conformance/differences.json`` and the cases it names; the
detection part puts what is known of provider 0.0.2 to every recorded Linux machine.
``--check`` fails if the page has drifted.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import generated  # noqa: E402

from nvidia_variant_provider.detect.answer import parse_answer  # noqa: E402
from nvidia_variant_provider.detect.replay import ReplayHost  # noqa: E402
from nvidia_variant_provider.model import Gpu, Machine, Status  # noqa: E402
from nvidia_variant_provider.rules import decide  # noqa: E402
from tests.recorded import load_states  # noqa: E402 - the one reader of these files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.provider import Answer
    from tests.recorded import State

DATA: Final = ROOT / "tests" / "data" / "conformance"
TARGET: Final = ROOT / "docs" / "differences.md"

# What the library is given on these machines; 0.0.2 sets no deadline of its own.
PATIENCE_S: Final = 10.0
NVML: Final = "libnvidia-ml.so.1"

HEAD: Final = """\
# Where uv and the provider 0.0.2 differ from this one

A *rule set* is a numbered version of the rules by which a provider ranks builds. Both follow rule
set 0 (`NV_VARIANT_PROVIDER_RULES=0` repeats it here). Each row is a release of
`tests/data/conformance/choices.json`, judged by both rule sets. The label of rule set 0 is what the
real uv installs, as a test checks ([conformance.md](conformance.md)). `null` is the
CPU build.
"""

COLUMNS: Final = """\
| machine | the builds | rule set 0 | rule set 1 | |
| --- | --- | --- | --- | --- |
"""

DETECTION: Final = """
## Detection

uv reads the driver release from `/sys/module/nvidia/version` or
`/proc/driver/nvidia/version`, but what matters, the CUDA version and the capabilities, from
`nvidia-smi` alone: without it, as in the recorded machine `headless-no-utils`, uv installs the CPU
build. A malformed override switches uv off, which only `-v` shows; here it is an error.

The provider 0.0.2 asks NVML in the installer's own process, by the name `libnvidia-ml.so.1` only,
takes the strongest GPU, raises `IndexError` where no capability is readable, and finds nothing at
all if one GPU does not answer. These rules, not the code of 0.0.2, were put to the {total} recorded
Linux machines whose driver's libraries were asked ([machines.md](machines.md)). On {count} of them,
one of the two has something to offer an installer and the other has not:

| machine | provider 0.0.2 | here |
| --- | --- | --- |
"""


def render() -> str:
    """Return the page."""
    return HEAD + "".join(_rules()) + "".join(_detection())


def main() -> int:
    """Write the page, or compare it."""
    return generated.run(__doc__, lambda: {TARGET: render()})


def _rules() -> Iterator[str]:
    differing = {
        row["id"]: row
        for row in json.loads((DATA / "choices.json").read_text("utf-8"))
        if row.get("label_of_rule_set_0", row["label"]) != row["label"]
    }
    for entry in json.loads((DATA / "differences.json").read_text("utf-8")):
        rule = f"[the rule](properties.md#{entry['section']})"
        yield f"\n## {entry['title']}\n\n{entry['words']} ({rule})\n"
        yield f"\n**Who suffers:** {entry['suffers']}.\n\n{COLUMNS}"
        for name in entry["cases"]:
            yield _rule_row(differing.pop(name))
    if differing:
        sys.exit(f"error: differences.json does not explain {', '.join(differing)}")


def _rule_row(row: dict[str, Any]) -> str:
    machine = f"CUDA {row['cuda']}, {' and '.join(row['gpus'])}"
    builds = "; ".join(
        f"`{label}`: {_stated(variant)}" for label, variant in row["variants"].items() if variant
    )
    old, new = row["label_of_rule_set_0"], row["label"]
    return f"| {machine} | {builds} | `{old}` | `{new}` | {row['why']} |\n"


def _stated(variant: dict[str, list[str]]) -> str:
    signs = {"cuda_version_lower_bound": "CUDA >= ", "cuda_version_upper_bound": "CUDA < "}
    return ", ".join(signs.get(name, "") + " ".join(values) for name, values in variant.items())


def _detection() -> Iterator[str]:
    states = [it for it in load_states() if _tells_of_libraries(it)]
    rows = [row for state in states if (row := _detection_row(state))]
    yield DETECTION.format(total=len(states), count=len(rows))
    yield from rows


def _tells_of_libraries(state: State) -> bool:
    """Tell whether the record says what a process of its own would get from the libraries."""
    replies = state.observed.get("libraries", [])
    started = [it for it in replies if not it.get("end", "").startswith("not started")]
    return state.observed["platform"]["system"] == "linux" and bool(started)


def _detection_row(state: State) -> str:
    """Return a line if one of the two finds something to offer and the other does not."""
    answer = state.answer()
    if answer.detection.machine.status is Status.PINNED:
        return ""
    old, found_by_old = _provider_002(state)
    if found_by_old == bool(answer.decision.features):
        return ""
    return f"| {state.name}: {state.record['about']['title']} | {old} | {_in_words(answer)} |\n"


def _provider_002(state: State) -> tuple[str, bool]:
    """Return what provider 0.0.2 makes of a machine, in words, and whether it offers anything."""
    reply = ReplayHost(state.observed).ask_library("nvml", NVML, PATIENCE_S)
    nvml = parse_answer("nvml", NVML, reply)
    if reply.end.timed_out:
        return "waits as long as the library does, and so does the installer", False
    if not nvml.loaded:
        return "nothing: NVML is not where the loader looks", False
    if nvml.init or nvml.cuda is None:
        return f"nothing: NVML answers {nvml.init or nvml.cuda_code}", False
    capabilities = [gpu.capability for gpu in nvml.gpus if gpu.capability is not None]
    if nvml.failed or len(capabilities) < len(nvml.gpus):
        return "nothing: one GPU does not answer", False
    if not capabilities:
        return "`IndexError`: no capability is readable", False
    gpus = (Gpu(capability=max(capabilities)),)
    machine = Machine(
        state.answer().detection.machine.platform, Status.OK, cuda=nvml.cuda, gpus=gpus
    )
    words = f"CUDA {nvml.cuda}, {max(capabilities)}"
    offers = bool(decide(machine, 0).features)
    return (words, True) if offers else (f"nothing: switched off at CUDA {nvml.cuda}", offers)


def _in_words(answer: Answer) -> str:
    machine = answer.detection.machine
    if not answer.decision.features:
        return f"nothing: {machine.reason}"
    gpus = " and ".join(map(str, machine.capabilities)) or "no capability known"
    return f"CUDA {machine.cuda}, {gpus}"


if __name__ == "__main__":
    sys.exit(main())
