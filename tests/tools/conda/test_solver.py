"""What pixi's solver chooses for a machine that ``run`` tells it of, on a model of conda-forge."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider.model import ComputeCapability, SmArch
from nvidia_variant_provider.rules.device_code import judge_arch
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.conda.overrides import conda_overrides, subdir
from tests.tools.conda.test_overrides import MACHINES

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine

pytestmark = pytest.mark.clients

SOLVER: Final = Path(__file__).with_name("solver.py")
# What conda-forge's builds of pytorch 2.13 hold, by its recipes of August 2026; PTX is of 12.0, of
# the build for Tegra 8.7.
CODE: Final = {
    "cuda129": "50 60 70 75 80 86 90 100 120 120+PTX",
    "cuda130": "75 80 86 90 100 110 120 120+PTX",
    "cuda129_sbsa": "50 60 70 75 80 86 90 100 120 120+PTX",
    "cuda130_sbsa": "75 80 86 87 90 100 110 120 120+PTX",
    "cuda129_tegra": "87 87+PTX",
}


def _record(name: str, version: str, build: str, number: int, **extra: object) -> dict[str, object]:
    return {
        "name": name,
        "version": version,
        "build": build,
        "build_number": number,
        "depends": [],
        "subdir": "noarch",
        **extra,
    }


def _torch(build: str, *depends: str) -> dict[str, object]:
    number = 0 if build == "cpu" else 200
    return _record("pytorch", "2.13.0", build, number, depends=list(depends))


def _cuda(build: str, *more: str) -> dict[str, object]:
    major = build.removeprefix("cuda")[:2]
    span = f"cuda-version >={major}.0,<{int(major) + 1}"
    return _torch(build, "__cuda", span, *more)


PACKAGES: Final = {
    "noarch": [
        _record("cuda-version", "12.9", "h_0", 0, constrains=["__cuda >=12"]),
        _record("cuda-version", "13.0", "h_0", 0, constrains=["__cuda >=13"]),
        _record("arm-variant", "1.2.0", "tegra", 0),
        _record("arm-variant", "1.2.0", "sbsa", 100),
    ],
    "linux-64": [_torch("cpu"), _cuda("cuda129"), _cuda("cuda130")],
    "linux-aarch64": [
        _torch("cpu"),
        _cuda("cuda129_sbsa", "arm-variant * sbsa"),
        _cuda("cuda130_sbsa", "arm-variant * sbsa"),
        _cuda("cuda129_tegra", "arm-variant * tegra"),
    ],
}


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the model channel."""
    folder = tmp_path_factory.mktemp("channel")
    for name, records in PACKAGES.items():
        (folder / name).mkdir()
        packages = {
            f"{it['name']}-{it['version']}-{it['build']}.conda": {
                **it,
                "subdir": name,
                "sha256": f"{number:064x}",
                "size": 1,
            }
            for number, it in enumerate(records)
        }
        document = {"info": {"subdir": name}, "packages": {}, "packages.conda": packages}
        (folder / name / "repodata.json").write_text(json.dumps(document), "utf-8")
    return folder


def solved(folder: Path, channel: Path, subdir: str | None, run: str, *specs: str) -> str:
    """Start the stand-in as ``run`` starts conda, and return the build it chose."""
    conda = folder / "conda"
    words = [sys.executable, SOLVER, channel.as_uri(), subdir or "", "pytorch", *specs]
    conda.write_text(f"#!/bin/sh\nexec {shlex.join(map(str, words))}\n", "utf-8")
    conda.chmod(0o755)
    cli = [sys.executable, "-m", "nvidia_variant_provider"]
    done = subprocess.run(
        [*cli, *shlex.split(run), str(conda)] if run else [str(conda)],
        env={key: it for key, it in os.environ.items() if not key.startswith("CONDA_")}
        | {"RATTLER_CACHE_DIR": str(folder / "cache"), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def has_code(build: str, machine: Machine) -> bool:
    """Whether a build has device code for every GPU of a machine."""
    archs = []
    for word in CODE.get(build, "").split():
        number, plus, _ = word.partition("+PTX")
        archs.append(SmArch(ComputeCapability.from_number(int(number)), virtual=bool(plus)))
    return all(
        any(judge_arch(arch, capability, machine.cuda).supported for arch in archs)
        for capability in machine.capabilities
    )


@pytest.mark.parametrize("target", [row[0] for row in MACHINES])
def test_the_solver_chooses_a_build_with_code_for_every_gpu(
    target: str, channel: Path, tmp_path: Path
) -> None:
    machine = parse_target(target).machine()
    specs = conda_overrides(machine).specs
    build = solved(tmp_path, channel, subdir(machine), f"run --target {target} --", *specs)

    assert has_code(build, machine), build


def test_without_the_overrides_the_solver_chooses_the_cpu_build(
    channel: Path, tmp_path: Path
) -> None:
    assert solved(tmp_path, channel, "linux-64", "") == "cpu"


def test_without_the_spec_an_orin_would_be_given_the_builds_for_servers(
    channel: Path, tmp_path: Path
) -> None:
    target = "jetson-orin@jetpack6"
    build = solved(tmp_path, channel, "linux-aarch64", f"run --target {target} --")

    assert build == "cuda129_sbsa"
    assert not has_code(build, parse_target(target).machine())
