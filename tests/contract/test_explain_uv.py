"""``explain`` against hundreds of real uv decisions, on made-up releases and machines.

One run of uv decides every package of a folder for one machine. Each package has a version that is
explained and an older one with an ordinary wheel: uv turns to that one exactly if nothing of the
newer one can be taken, so that "nothing" is observed too, without a failing run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import clean_environment, installed_label, uv_executable
from nvidia_variant_provider import overrides
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import Machine, Platform, Status
from nvidia_variant_provider.tables.driver_branches import BRANCHES
from nvidia_variant_provider.tables.products import PRODUCTS
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.demo.wheels import NVIDIA, write_wheel
from nvidia_variant_provider.tools.explain.results import ORDINARY
from nvidia_variant_provider.tools.explain.views import explain
from nvidia_variant_provider.tools.installers.table import PROVIDER, UV
from nvidia_variant_provider.tools.metadata.model import Provider
from nvidia_variant_provider.tools.releases.source import read_release
from nvidia_variant_provider.tools.wheels.name import WheelName
from tests.contract.test_uv_parity import MEMORY
from tests.tools.explain.releases import build, metadata_of

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.clients

PACKAGES = 70
MACHINES = 14
NEW, OLD = "1.2", "1.1"
NOTHING = None

BOUNDS = ("11.0", "11.8", "12.0", "12.6", "12.8", "12.9", "13.0", "13.2", "14.0")
NUMBERS = (50, 60, 61, 70, 75, 80, 86, 87, 89, 90, 100, 103, 110, 120, 121)
ARCHS = (
    *(f"{number}_real" for number in NUMBERS * 3),
    *(f"{number}_virtual" for number in NUMBERS),
    "90a_real",
    "100f_real",
)
PLATFORMS = (*["any"] * 6, "manylinux_2_28_x86_64", "manylinux_2_28_aarch64")
ENTRIES = (
    *[NVIDIA] * 16,
    replace(NVIDIA, optional=True),
    replace(NVIDIA, plugin_api=None),
    replace(NVIDIA, requires=("nvidia-variant-provider>=0.0.2,<1",)),
    Provider(
        feature_order=("sm_arch", "cuda_version_lower_bound"),
        static_properties={
            "cuda_version_lower_bound": ("12.8", "12.0"),
            "sm_arch": ("90_real", "80_real"),
        },
    ),
)


def write_package(folder: Path, name: str, source: Random) -> None:
    """Write a release as packagers might, and as they should not: some lack what others have."""
    variants = {
        label: build(
            source.choice(("", *BOUNDS)),
            " ".join(sorted(set(source.sample(ARCHS, source.choice((0, 3, 6, 9, 15)))))),
            source.choice(("", "1", "2", "3")),
            source.choice((*[""] * 24, *BOUNDS)),
        )
        for label in source.sample("abcdefgh", source.randint(1, 5))
    }
    # A variant without properties is the null variant, under that label alone.
    variants = {label: stated for label, stated in variants.items() if stated}
    if source.random() < 0.5 or not variants:
        variants["null"] = {}
    metadata = metadata_of(variants)
    providers = {**(metadata.providers or {}), "nvidia": source.choice(ENTRIES)}
    metadata = replace(metadata, providers=providers)
    for label in variants:
        platform = "any" if label == "null" else source.choice(PLATFORMS)
        write_wheel(folder, WheelName(name, NEW, "", "py3", "none", platform, label), metadata)
    if source.random() < 0.4:
        write_wheel(folder, WheelName(name, NEW, "", "py3", "none", "any", ""), None)
    if source.random() < 0.9:
        (folder / f"{name}-{NEW}-variants.json").write_text(metadata.to_json(), encoding="utf-8")
    write_wheel(folder, WheelName(name, OLD, "", "py3", "none", "any", ""), None)


def made_up_machines(source: Random) -> dict[str, Machine]:
    """Return machines of the catalogue with any driver that serves them, and one without a GPU."""
    nothing = Machine(Platform("linux", "x86_64", "glibc"), Status.NONE, "no GPU")
    found = {"no GPU": nothing, "v100+a100@570": parse_target("v100+a100@570").machine()}
    while len(found) < MACHINES:
        branch = source.choice([number for number, cuda in BRANCHES if cuda.major >= 11])
        text = f"{source.choice(PRODUCTS).name}@{branch}"
        try:
            found[text] = parse_target(text).machine()
        except InvalidValueError:
            continue  # the driver does not serve the device
    return found


def uv_decides(folder: Path, names: list[str], machine: Machine) -> dict[str, str | None]:
    """Return what one run of uv installs of each package, as ``explain`` spells results."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as scratch:
        # The folder is empty: uv finds no nvidia-smi, whatever this machine has.
        environ = {"PATH": scratch, "HOME": scratch, "UV_CACHE_DIR": f"{scratch}/cache"}
        if machine.gpus:
            environ[overrides.FORCE_CUDA] = str(machine.cuda)
            environ[overrides.FORCE_SM_ARCH] = str(machine.capabilities[-1])
        done = subprocess.run(
            [
                *(uv_executable(), "pip", "install", "--preview-features", "wheel-variants"),
                *("--no-index", "--find-links", str(folder), "--no-config"),
                *("--python", sys.executable, "--target", f"{scratch}/target"),
                *("--python-platform", f"{machine.platform.architecture}-manylinux_2_28"),
                *names,
            ],
            cwd=scratch,
            env={**clean_environment(), **environ},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        target = Path(scratch, "target")
        return {name: taken(target, name) for name in names}


def taken(target: Path, name: str) -> str | None:
    if (target / f"{name}-{OLD}.dist-info").is_dir():
        return NOTHING
    label = installed_label(target, name, NEW)
    return ORDINARY if label is None else label


def test_uv_decides_hundreds_of_times_as_explain_predicts(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    source = Random(825)  # noqa: S311 - no secret: the same cases in every run
    names = [f"p{number}" for number in range(PACKAGES)]
    for name in names:
        write_package(tmp_path, name, source)
    machines = made_up_machines(source)
    releases = {name: read_release(str(tmp_path), f"{name}=={NEW}") for name in names}
    found = {
        (text, name): explain(releases[name], machine)
        for text, machine in machines.items()
        for name in names
    }
    with ThreadPoolExecutor(2) as pool:
        runs = pool.map(lambda it: uv_decides(tmp_path, names, it), machines.values())
        decided = {
            (text, name): took
            for text, one in zip(machines, runs, strict=True)
            for name, took in one.items()
        }

    wrong = {
        case: (took, found[case].view(UV).winner)
        for case, took in decided.items()
        if took != found[case].view(UV).winner
    }
    assert wrong == {}
    # The cases are many, and of every kind; where no build can be taken, little is proven.
    kinds = Counter(
        "a build" if took not in {"null", ORDINARY, NOTHING} else str(took)
        for took in decided.values()
    )
    differing = sum(it.view(UV).winner != it.view(PROVIDER).winner for it in found.values())
    counts = {"decided": len(decided), **kinds, "provider differs": differing}
    record_property("uv decisions", json.dumps(counts))
    print(f"real uv decided {json.dumps(counts)}")  # noqa: T201 - shown by pytest -s
    assert len(decided) == 980
    assert set(kinds) == {"a build", "null", ORDINARY, str(NOTHING)}
    assert min(kinds.values()) >= 40
    assert differing >= 40
