"""Every folder that detection knows, with a library in it that is really loaded.

On aarch64 these are the folders of Jetson and of Grace: ``.ci/aarch64.py`` runs them there.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider.detect.cascade import detect
from nvidia_variant_provider.detect.host import RealHost
from nvidia_variant_provider.detect.libraries import COMPAT_FOLDERS, KNOWN_FOLDERS, TEGRA_FILE
from nvidia_variant_provider.model import CudaVersion, Status
from nvidia_variant_provider.tools.cli.advice import advice_for
from tests.native.build import R580, SONAMES
from tests.native.machines import gpu_lines

if TYPE_CHECKING:
    from tests.native.conftest import Ask
    from tests.native.machines import ForgedMachine

TRIPLE: Final = f"{os.uname().machine}-linux-gnu"
SOUND: Final = R580 + gpu_lines(capability="10.3")


def concrete(folder: str) -> str:
    """Return a folder of this architecture that matches an entry of the list."""
    return folder.replace("{triple}", TRIPLE).replace("*", "580")


@pytest.mark.parametrize("folder", [concrete(it) for it in KNOWN_FOLDERS])
def test_a_library_in_a_known_folder_is_found_and_asked(
    h100: ForgedMachine, ask_plugin: Ask, folder: str
) -> None:
    path = h100.stand_ins.install(h100.root, "nvml", SOUND, folder=folder.lstrip("/"))

    asked = ask_plugin()

    assert path.exists()
    # The kernel knows an H100: only the library can say 10.3.
    assert asked.values["sm_arch"][0] == "103a_real"
    assert asked.machine.gpus[0].source == "NVML"


@pytest.mark.parametrize("folder", [concrete(it) for it in COMPAT_FOLDERS])
def test_a_compatibility_package_is_asked_last_and_gives_its_cuda(
    h100: ForgedMachine, ask_plugin: Ask, folder: str
) -> None:
    h100.stand_ins.install(
        h100.root, "cuda", "cuda 13010\n" + gpu_lines(), folder=folder.strip("/")
    )

    asked = ask_plugin()

    assert asked.machine.cuda == CudaVersion(13, 1)
    assert asked.machine.gpus[0].source == "libcuda"


def test_the_file_of_tegra_needs_no_link(h100: ForgedMachine, ask_plugin: Ask) -> None:
    path = h100.stand_ins.install(h100.root, "cuda", SOUND, folder=f"usr/lib/{TRIPLE}/tegra")
    for name in (path.name, f"{path.name}.conf"):
        (path.parent / name).rename(path.parent / name.replace(SONAMES["cuda"], TEGRA_FILE))

    asked = ask_plugin()

    assert asked.values["sm_arch"][0] == "103a_real"


ROW: Final = "580.65.06, 9.0, 0x233010DE, GPU-1, 00000000:01:00.0, 81559 MiB, H100"


@pytest.mark.parametrize(
    ("content", "mode"),
    [
        ("#!/bin/sh\necho nothing\n", 0o644),
        ("#!/nowhere/sh\n", 0o755),
        ("no program at all", 0o755),
        ("#!/bin/sh\necho 'NVIDIA-SMI has failed'; exit 9\n", 0o755),
        ("#!/bin/sh\necho 'Failed: Driver/library version mismatch'; exit 18\n", 0o755),
    ],
    ids=["not executable", "no interpreter", "no program", "no driver", "another release"],
)
@pytest.mark.parametrize("good", ["/opt/mine", "/usr/lib/wsl/lib"])
def test_an_nvidia_smi_that_is_of_no_use_hides_no_good_one(
    h100: ForgedMachine,
    ask_plugin: Ask,
    monkeypatch: pytest.MonkeyPatch,
    content: str,
    mode: int,
    good: str,
) -> None:
    monkeypatch.setenv("PATH", f"/opt/mine:{os.environ['PATH']}")
    h100.write("/usr/bin/nvidia-smi", content).chmod(mode)
    h100.write(f"{good}/nvidia-smi", f"#!/bin/sh\necho '{ROW}'\n").chmod(0o755)

    asked = ask_plugin(TIMEOUT="20")

    assert asked.machine.gpus[0].source == "nvidia-smi"
    assert asked.machine.status is Status.OK
    assert asked.details("nvidia-smi")[-1] == "driver 580.65.06, CUDA None, 1 GPUs"


def test_of_two_that_fail_the_one_that_names_a_code_counts(
    h100: ForgedMachine, ask_plugin: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"/opt/mine:{os.environ['PATH']}")
    h100.write("/usr/bin/nvidia-smi", "no program at all").chmod(0o644)
    said = "Failed to initialize NVML: Driver/library version mismatch"
    h100.write("/opt/mine/nvidia-smi", f"#!/bin/sh\necho '{said}'; exit 18\n").chmod(0o755)

    asked = ask_plugin(TIMEOUT="20")

    assert asked.machine.reason == "NVML 18 (driver/library version mismatch)"


def advice_on(machine: ForgedMachine) -> list[str]:
    return advice_for(detect(RealHost({}, str(machine.root)), confirm=True))


def test_ldconfig_mends_a_container_whose_links_are_missing(
    h100: ForgedMachine, ask_plugin: Ask
) -> None:
    for api in ("nvml", "cuda"):
        path = h100.install(api, SOUND)
        real = path.rename(f"{path.parent}/{path.name[:-1]}580.65.06")
        # The stand-in reads the file beside the name that a forged root resolves to.
        real.with_name(f"{real.name}.conf").write_text(SOUND, "utf-8")
    before = ask_plugin()
    advice = advice_on(h100)

    subprocess.run(["ldconfig", "-n", str(real.parent)], check=True, capture_output=True)

    after = ask_plugin()
    assert before.machine.status is Status.BROKEN
    assert advice == [
        f"sudo ldconfig   ({real.parent}/{real.name} lacks its link .so.1)".replace(
            str(h100.root), ""
        )
    ]
    assert (after.machine.status, after.values["sm_arch"][0]) == (Status.OK, "103a_real")
