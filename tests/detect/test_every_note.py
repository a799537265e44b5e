"""Every status and every note is forged here or in the corpus, and what it advises is followed.

What a person pastes is pasted: a line that names a command of ours must end in a build for the GPU.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from nvidia_variant_provider.detect.cascade import Detection, detect
from nvidia_variant_provider.detect.replay import ReplayHost
from nvidia_variant_provider.model import Status
from nvidia_variant_provider.overrides import read_overrides
from nvidia_variant_provider.provider import Answer, decide_for, find_machine
from nvidia_variant_provider.tools.cli.advice import STATUSES, advice_for
from tests.detect.test_advice import (
    BY_NAME,
    CUDA,
    CUDA_SAYS,
    FORGED,
    GPUS,
    H100,
    NOTHING,
    cuda_says,
    on,
    reply,
)
from tests.detect.test_cascade import FaultyHost
from tests.recorded import load_states
from tests.test_status_page import emitted
from tests.tools.views.clients import clean_environment, installed, new_environment
from tests.tools.views.stand_in import cuda_index, main_index

if TYPE_CHECKING:
    from pathlib import Path

    from nvidia_variant_provider.detect.host import Host

RUN: Final = r"nvidia-variant-provider (run --target (\S+) --) uv pip install \.\.\."


def nvml_says(*lines: str, end: str = "exit 0") -> dict[str, Any]:
    """Return an NVML that goes on from its start with these lines."""
    begun = ["loaded\tx", "init\t0", "driver\t0\t595.58.03", "cuda\t0\t13020"]
    return {**GPUS, "lines": [*begun, *lines], "end": end}


BARE_GPU: Final = ("gpu\t0\t0", "capability\t0\t0\t9\t0")
MACHINES: Final = {
    **BY_NAME,
    "no uuid": {**BY_NAME[H100], "libraries": [nvml_says("count\t0\t1", *BARE_GPU, "end")]},
    "cuda-10": {
        **BY_NAME[H100],
        "libraries": [
            {
                **GPUS,
                "lines": [
                    "loaded\tx", "init\t0", "driver\t0\t410.72", "cuda\t0\t10000", "count\t0\t1",
                    *BARE_GPU, "end",
                ],
            },
            reply("cuda", CUDA, "cuda\t0\t10000", "init\t0"),
        ],
    },
}  # fmt: skip


def told(base: str, **variables: str) -> Answer:
    """Return the answer for a recorded machine with some of our variables set."""
    settings = read_overrides({f"NV_VARIANT_PROVIDER_{key}": it for key, it in variables.items()})
    host: Host = ReplayHost(MACHINES[base])
    return decide_for(find_machine(host, settings, confirm=True), settings)


def plain(detection: Detection) -> Answer:
    return decide_for(detection, read_overrides({}))


SOUND_CUDA: Final = BY_NAME[H100]["libraries"][1]
CHIP: Final = "/sys/bus/pci/devices/0000:06:00.0/device"
# Of the notes that no recorded machine shows: what makes each of them.
MADE: Final[tuple[Answer, ...]] = (
    *(plain(on(H100, [GPUS, cuda_says(code)])) for code in CUDA_SAYS),
    plain(on(H100, [GPUS, reply("cuda", CUDA, "cuda\t0\t13020") | {"end": "timeout"}])),
    plain(on(H100, [nvml_says(end="signal 11"), SOUND_CUDA])),
    plain(on(H100, [nvml_says("count\t0\t2", *BARE_GPU, end="signal 11")])),
    plain(on(H100, [], {CHIP: "0xffff\n"})),
    plain(detect(FaultyHost(), 10)),
    told("cuda-10", RULES="0"),
    told(H100, FORCE_CUDA_DRIVER_VERSION="19.9", FORCE_SM_ARCH="9.0"),
    told(H100, FORCE_CUDA_DRIVER_VERSION="12.8.1"),
    told(NOTHING, FORCE_SM_ARCH="9.0"),
    told("no uuid", GPU="GPU-12345678"),
    told(H100, TARGET="gh200"),
    told(H100, TARGET="h100@999"),
    told(H100, SOMETHING_NEW="1"),
)


def everything() -> list[Answer]:
    corpus = [state.answer() for state in load_states()]
    return [*corpus, *(plain(detection) for detection, _ in FORGED), *MADE]


def test_every_note_and_every_status_is_made_by_a_machine() -> None:
    answers = everything()
    notes = {
        note.code
        for answer in answers
        for note in (*answer.detection.machine.notes, *answer.decision.notes)
    }

    assert emitted() - notes == set()
    assert {answer.detection.machine.status for answer in answers} == set(Status)


def test_no_advice_has_a_blank_that_the_machine_could_fill() -> None:
    lines = {line for answer in everything() for line in advice_for(answer.detection)}
    general = {words.advice for words in STATUSES.values()}

    assert [line for line in lines if re.search(r"[{}]|None", line)] == []
    assert [line for line in lines - general if "NAME@DRIVER" in line and "lists" in line] == []


def targets() -> set[str]:
    """Return every target that some advice says to name; one blank is filled by what is listed."""
    lines = (line for answer in everything() for line in advice_for(answer.detection))
    named = {match[2] for line in lines for match in re.finditer(RUN, line)}
    return {name.replace("NAME@DRIVER", "h100@580") for name in named}


@pytest.mark.clients
@pytest.mark.skipif(sys.platform != "linux", reason="the stand-in wheels are for Linux")
def test_a_target_that_is_pasted_ends_in_a_build_for_the_gpu(tmp_path: Path) -> None:
    uv = shutil.which("uv") or str(os.path.join(os.path.dirname(sys.executable), "uv"))
    got = {}
    with main_index().serving() as main, cuda_index().serving() as cuda:
        environ = clean_environment(tmp_path, UV_DEFAULT_INDEX=f"{main}/simple/")
        for target in sorted(targets()):
            site = tmp_path / target
            options = ["run", "--target", target, "--cuda-index", f"{cuda}/whl", "--"]
            install = [
                uv,
                "pip",
                "install",
                "--python",
                str(new_environment(tmp_path / "env")),
                "--target",
                str(site),
                "torch",
            ]
            subprocess.run(
                [sys.executable, "-m", "nvidia_variant_provider", *options, *install],
                env=environ,
                check=True,
                capture_output=True,
            )
            got[target] = installed(site)["torch"]

    assert len(got) >= 2
    assert [target for target, version in got.items() if version.endswith("+cpu")] == []


def test_the_commands_in_advice_are_those_of_this_program() -> None:
    lines = {line for answer in everything() for line in advice_for(answer.detection)}
    commands = {it for line in lines for it in re.findall(r"nvidia-variant-provider (\w+)", line)}

    assert commands <= {"run", "targets", "detect", "code"}
    assert shlex.split("run --target NAME@DRIVER --")[0] in commands
