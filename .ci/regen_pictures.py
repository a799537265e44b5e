"""Rewrite ``docs/pictures/``; ``--check`` fails if a picture has drifted.

What a matrix shows is asked of the rules and the tables, so a picture cannot contradict them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import generated
from drawing import Drawing

from nvidia_variant_provider.model import ComputeCapability, CudaVersion, SmArch
from nvidia_variant_provider.rules.device_code import judge_arch
from nvidia_variant_provider.tables.driver_branches import cuda_of_branch

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "pictures"

CAPABILITIES: Final = ("7.5", "8.0", "8.6", "8.9", "9.0", "10.0", "10.3", "12.0", "12.1")
CODE: Final = (
    "75_real",
    "80_real",
    "86_real",
    "90_real",
    "90a_real",
    "100_real",
    "100f_real",
    "100a_real",
    "120_real",
    "80_virtual",
    "90_virtual",
    "120_virtual",
)
BRANCHES: Final = (525, 535, 550, 570, 580, 590, 610)
GATE: Final = (
    "the gate: a few look-ups in /sys, /proc and /dev\nno sign of NVIDIA: no more is asked"
)
RECONCILE: Final = (
    "reconcile, with the tables\none Machine, one status, and the trail of every step"
)
LEGEND: Final = (
    "all: cubins and PTX. cubins: minor-version compatibility, PTX of this toolkit fails.",
    "no: needs the forward compatibility package or a newer driver.",
)
TOOLKITS: Final = ("12.0", "12.4", "12.8", "13.0", "13.1", "13.3")


def render() -> dict[Path, str]:
    """Return every picture."""
    pictures = {
        "cpu-wheel": cpu_wheel(),
        "detection": detection(),
        "device-code": device_code(),
        "driver-and-toolkit": driver_and_toolkit(),
        "minor-versions": minor_versions(),
    }
    return {FOLDER / f"{name}.svg": drawing.render() for name, drawing in pictures.items()}


def cpu_wheel() -> Drawing:
    """Draw the four questions whose wrong answer ends at the CPU build."""
    questions = (
        ("Does the installer know variants?", "pip; uv without its preview feature", "no label"),
        ("Does it see a driver?", "image builds, login nodes, no nvidia-smi", "null"),
        ("Is the driver new enough?", "lower bound 13.0, this machine supports 12.8", "null"),
        ("Is there code for this GPU?", "sm_arch: has 75 80 86, GPU is 6.1", "null"),
    )
    drawing = Drawing(620, 455, "Four questions decide between a CUDA build and the CPU build")
    for number, (question, example, end) in enumerate(questions):
        y = 20 + 88 * number
        drawing.box(20, y, 320, 58, f"{question}\n{example}")
        drawing.arrow((340, y + 29), (430, y + 29), words="no")
        drawing.box(430, y + 6, 170, 46, f"CPU build\n{end}", "bad")
        drawing.arrow((180, y + 58), (180, y + 88), words="yes")
    drawing.box(20, 372, 320, 58, "CUDA build\nthe nearest of those that run", "good")
    return drawing


def driver_and_toolkit() -> Drawing:
    """Draw what a wheel brings, what a machine has, and which property speaks of which pair."""
    drawing = Drawing(700, 372, "A wheel's toolkit and device code meet a machine's driver and GPU")
    drawing.text(130, 24, "the wheel", "strong")
    drawing.text(350, 24, "the property")
    drawing.text(570, 24, "the machine", "strong")
    drawing.box(20, 48, 220, 62, "CUDA Toolkit 13.2\nmade code and runtime")
    drawing.box(460, 48, 220, 62, "user-mode driver, libcuda\nCUDA driver version 13.0")
    drawing.arrow((240, 79), (460, 79))
    drawing.text(350, 62, "needs CUDA 13.0 at least")
    drawing.text(350, 96, "cuda_version_lower_bound", "code")
    drawing.box(20, 160, 220, 62, "cubins\nmachine code: 90a_real")
    drawing.box(20, 280, 220, 62, "PTX\nvirtual code: 90_virtual")
    drawing.box(460, 280, 220, 62, "GPU\ncompute capability 9.0")
    drawing.box(460, 160, 220, 62, "kernel-mode driver\ndriver release 580.65.06")
    drawing.arrow((570, 110), (570, 160))
    drawing.arrow((570, 222), (570, 280))
    drawing.arrow((240, 191), (460, 296), words="")
    drawing.text(372, 210, "runs as it is", "small")
    drawing.arrow((240, 311), (460, 311))
    drawing.text(350, 298, "sm_arch", "code")
    drawing.text(350, 330, "the driver compiles it first", "small")
    return drawing


def minor_versions() -> Drawing:
    """Draw which toolkit's programs run on which driver branch."""
    left, top, width, height = 150, 64, 82, 34
    drawing = Drawing(
        left + width * len(TOOLKITS) + 20,
        top + height * len(BRANCHES) + 74,
        "Which CUDA Toolkit's programs run on which driver branch",
    )
    drawing.text(left + width * len(TOOLKITS) / 2, 20, "built with CUDA Toolkit")
    drawing.text(75, 46, "driver branch")
    for column, text in enumerate(TOOLKITS):
        drawing.text(left + width * (column + 0.5), 46, text, "strong")
    for row, branch in enumerate(BRANCHES):
        cuda = cuda_of_branch(branch)
        y = top + height * row
        drawing.text(75, y + height / 2, f"R{branch}: CUDA {cuda}")
        for column, text in enumerate(TOOLKITS):
            words, kind = _on_driver(CudaVersion.parse(text), cuda)
            drawing.box(left + width * column + 3, y + 3, width - 6, height - 6, words, kind)
    y = top + height * len(BRANCHES) + 16
    for row, text in enumerate(
        (
            "all: cubins and PTX. cubins: minor-version compatibility, PTX of this toolkit fails.",
            "no: needs the forward compatibility package or a newer driver.",
        )
    ):
        drawing.text(20, y + 22 * row + 6, text, "small", "start")
    return drawing


def _on_driver(toolkit: CudaVersion, driver: CudaVersion | None) -> tuple[str, str]:
    if driver is not None and toolkit <= driver:
        return "all", "good"
    if driver is not None and toolkit.major == driver.major:
        return "cubins", "half"
    return "no", "bad"


def device_code() -> Drawing:
    """Draw which device code runs on which capability, as rule set 1 decides."""
    left, top, width, height = 120, 64, 56, 32
    drawing = Drawing(
        left + width * len(CAPABILITIES) + 20,
        top + height * len(CODE) + 50,
        "Which device code runs on which compute capability",
    )
    drawing.text(left + width * len(CAPABILITIES) / 2, 20, "compute capability of the GPU")
    for column, text in enumerate(CAPABILITIES):
        drawing.text(left + width * (column + 0.5), 46, text, "strong")
    for row, code in enumerate(CODE):
        y = top + height * row
        drawing.text(left - 10, y + height / 2, code, "code", "end")
        for column, text in enumerate(CAPABILITIES):
            words, kind = _on_gpu(SmArch.parse(code), ComputeCapability.parse(text))
            drawing.box(left + width * column + 2, y + 2, width - 4, height - 4, words, kind)
    text = (
        "runs: machine code. JIT: PTX that the driver compiles at first use. Empty: does not run."
    )
    drawing.text(20, top + height * len(CODE) + 24, text, "small", "start")
    return drawing


def _on_gpu(code: SmArch, capability: ComputeCapability) -> tuple[str, str]:
    if not judge_arch(code, capability, None).supported:
        return "", "plain"
    return ("JIT", "half") if code.virtual else ("runs", "good")


def detection() -> Drawing:
    """Draw the way from a machine to what an installer gets."""
    drawing = Drawing(700, 560, "From the kernel's files to the properties that an installer gets")
    drawing.box(20, 20, 660, 52, "installer\nasks the plugin once")
    drawing.arrow((350, 72), (350, 100))
    drawing.box(
        20,
        100,
        660,
        52,
        GATE,
    )
    drawing.arrow((120, 152), (120, 196))
    drawing.arrow((350, 152), (350, 196))
    drawing.arrow((580, 152), (580, 196))
    drawing.box(
        20, 196, 200, 76, "kernel's files\ndriver release, PCI devices\nread in this process"
    )
    drawing.box(
        250, 196, 200, 76, "NVML, then libcuda\nCUDA version, GPUs\neach in a child process"
    )
    drawing.box(480, 196, 200, 76, "nvidia-smi\nif no library spoke\nits text is read")
    drawing.box(240, 186, 450, 96, "", "group")
    said = "code of others: may crash, hang or print"
    drawing.text(366, 302, said, "small", "start")
    drawing.arrow((120, 272), (120, 330))
    drawing.arrow((350, 282), (350, 330))
    drawing.box(
        20,
        330,
        660,
        52,
        RECONCILE,
    )
    drawing.arrow((350, 382), (350, 414))
    drawing.box(
        20, 414, 660, 52, "rules\npure: the same Machine always gives the same ordered values"
    )
    drawing.arrow((180, 466), (180, 494))
    drawing.arrow((520, 466), (520, 494))
    drawing.box(20, 494, 320, 46, "installer: ordered features", "good")
    drawing.box(360, 494, 320, 46, "detect, explain: the same, with reasons", "good")
    return drawing


if __name__ == "__main__":
    sys.exit(generated.run(__doc__, render))
