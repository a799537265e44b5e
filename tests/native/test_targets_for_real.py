"""A machine that a target names, forged and asked, gets exactly what the target promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider.rules import DEFAULT_RULES, decide
from nvidia_variant_provider.targets.target import parse_target
from tests.native.machines import gpu_lines

if TYPE_CHECKING:
    from nvidia_variant_provider.model import CudaVersion
    from tests.native.conftest import Ask
    from tests.native.machines import ForgedMachine

# The machines with an Arm processor first: ``.ci/aarch64.py`` asks for them in an arm64 Python.
TARGETS: Final = (
    "gh200@550", "gh200@570", "gh200@580", "gb200@575", "gb300@580", "dgx-spark@580",
    "a100@535", "h100@570", "b200@580",
)  # fmt: skip


def encoded(cuda: CudaVersion) -> int:
    return cuda.major * 1000 + cuda.minor * 10


@pytest.mark.parametrize("api", ["nvml", "cuda"])
@pytest.mark.parametrize("target", TARGETS)
def test_what_is_detected_is_what_the_target_says(
    machine: ForgedMachine, ask_plugin: Ask, target: str, api: str
) -> None:
    named = parse_target(target).machine()
    assert named.cuda is not None
    release = f"{target.rpartition('@')[2]}.54.15"
    machine.add_driver(release, nodes=("nvidia0", "nvidia1"))
    gpus = gpu_lines(2, str(named.gpus[0].capability), named.gpus[0].name)
    machine.install(api, f"driver {release}\ncuda {encoded(named.cuda)}\n{gpus}")

    asked = ask_plugin()

    promised = decide(named, DEFAULT_RULES).features
    assert asked.values == {it.name: list(it.values) for it in promised}
    assert len(asked.machine.gpus) == 2
