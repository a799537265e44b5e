"""The plugin's promises to installers, checked with the released versions of variantlib.

Every answer here went through a child process: the worker that variantlib starts.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import clean_environment, install_with_uv
from nvidia_variant_provider.model import (
    ComputeCapability,
    CudaVersion,
    Gpu,
    Machine,
    Platform,
    Status,
)
from nvidia_variant_provider.rules import catalogue, decide
from nvidia_variant_provider.tools.demo.wheels import write_wheel
from nvidia_variant_provider.tools.wheels.name import WheelName
from tests.contract.variantlib_runs import Variantlib, variantlib

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.rules import Feature

pytestmark = pytest.mark.clients

PROJECT = Path(__file__).resolve().parents[2]

FORCE_CUDA = "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION"
FORCE_SM = "NV_VARIANT_PROVIDER_FORCE_SM_ARCH"
RULES = "NV_VARIANT_PROVIDER_RULES"

H100 = {FORCE_CUDA: "12.8", FORCE_SM: "9.0"}
H100_MACHINE = Machine(
    Platform("linux", "x86_64", "glibc"),
    Status.PINNED,
    cuda=CudaVersion(12, 8),
    cuda_forced=True,
    gpus=(Gpu(capability=ComputeCapability(9, 0)),),
)

RELEASES = ("0.2.0", "0.2.1", "0.2.2")
OLDEST = "0.0.1.post1"
# Each release takes an environment of its own: the gate makes the newest one's and the oldest's.
EACH = [
    *(pytest.param(release, marks=pytest.mark.deep) for release in RELEASES[:-1]),
    RELEASES[-1],
]


@pytest.fixture(params=EACH)
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Variantlib:
    return variantlib(request.param, tmp_path)


@pytest.fixture
def newest(tmp_path: Path) -> Variantlib:
    return variantlib(RELEASES[-1], tmp_path)


def as_json(features: Iterable[Feature]) -> list[dict[str, object]]:
    return [
        {"name": it.name, "values": list(it.values), "multi_value": it.multi_value}
        for it in features
    ]


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("release", [pytest.param(OLDEST, marks=pytest.mark.deep), *EACH])
def test_plugins_list_shows_the_namespace(release: str, tmp_path: Path) -> None:
    client = variantlib(release, tmp_path)

    assert succeeded(client.run("plugins", "list")) == "nvidia\n"


@pytest.mark.parametrize("rule_set", [0, 1])
def test_supported_configs_are_what_the_rules_say(client: Variantlib, rule_set: int) -> None:
    done = client.run("plugins", "get-configs", "-s", settings={**H100, RULES: str(rule_set)})

    expected = as_json(decide(H100_MACHINE, rule_set).features)
    assert json.loads(succeeded(done)) == {"nvidia": expected}


def test_all_configs_are_the_catalogue(client: Variantlib) -> None:
    done = client.run("plugins", "get-configs", "-a")

    assert json.loads(succeeded(done)) == {"nvidia": as_json(catalogue())}


def test_analyze_platform_shows_the_features_in_order(client: Variantlib) -> None:
    shown = succeeded(client.run("analyze-platform", settings=H100))

    places = [
        shown.index(f"{feature.name} :: {list(feature.values)}"[:60])
        for feature in decide(H100_MACHINE).features
    ]
    assert places == sorted(places)


OLD_LOADER = """
import json
from variantlib.plugins.loader import EntryPointPluginLoader
from variantlib.plugins.py_envs import ExternalNonIsolatedPythonEnv

with (
    ExternalNonIsolatedPythonEnv() as context,
    EntryPointPluginLoader(python_ctx=context) as loader,
):
    answers = {
        "supported": loader.get_supported_configs(),
        "all": loader.get_all_configs(),
    }
    print(json.dumps({
        name: {namespace: [[it.name, it.values] for it in found.configs]
               for namespace, found in answer.items()}
        for name, answer in answers.items()
    }))
"""


@pytest.mark.deep
def test_oldest_loader_gets_the_same_values(tmp_path: Path) -> None:
    done = variantlib(OLDEST, tmp_path).run_code(OLD_LOADER, settings=H100)

    assert json.loads(succeeded(done)) == {
        "supported": {
            "nvidia": [[it.name, list(it.values)] for it in decide(H100_MACHINE).features]
        },
        "all": {"nvidia": [[it.name, list(it.values)] for it in catalogue()]},
    }


MALFORMED = [
    pytest.param(FORCE_CUDA, "580.65.06", id="driver release for a CUDA version"),
    pytest.param(FORCE_SM, "90", id="number for a capability"),
    pytest.param(RULES, "2", id="unknown rule set"),
]


@pytest.mark.parametrize(("variable", "text"), MALFORMED)
def test_malformed_override_reaches_the_user(client: Variantlib, variable: str, text: str) -> None:
    done = client.run("plugins", "get-configs", "-s", settings={variable: text})

    assert done.returncode != 0
    assert done.stdout == ""
    assert f"OverrideError: {variable}={text!r}: expected" in done.stderr


# What a packager has: the ordinary wheel and the variant table of pyproject.toml.
PYPROJECT = """
[variant.default-priorities]
namespace = ["nvidia"]
[variant.providers.nvidia]
requires = ["nvidia-variant-provider>=0.0.1,<1.0.0"]
plugin-api = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"
"""


@pytest.fixture
def plain_wheel(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (tmp_path / "out").mkdir()
    return write_wheel(tmp_path, WheelName.parse("kernels-1.0-py3-none-any.whl"), None)


def make_variant(
    client: Variantlib, wheel: Path, label: str, *properties: str, isolated: bool = False
) -> subprocess.CompletedProcess[str]:
    isolation = () if isolated else ("--no-isolation",)
    stated = [f"nvidia :: {text}" for text in properties]
    arguments = ["-f", wheel.name, "-o", "out", *isolation, "--variant-label", label, "-p", *stated]
    return client.run("make-variant", *arguments)


def test_make_variant_validates_with_the_installed_provider(
    client: Variantlib, plain_wheel: Path
) -> None:
    succeeded(
        make_variant(
            client, plain_wheel, "cu12",
            "cuda_version_lower_bound :: 12.0", "sm_arch :: 90a_real", "sm_arch :: 80_real",
        )
    )  # fmt: skip

    assert (client.folder / "out" / "kernels-1.0-py3-none-any-cu12.whl").is_file()


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        pytest.param(
            ["sm_arch :: 999_reel"],
            "invalid according to the plugins: nvidia :: sm_arch :: 999_reel", id="misspelt value",
        ),
        pytest.param(
            ["arch :: 90_real"],
            "invalid according to the plugins: nvidia :: arch :: 90_real", id="unknown feature",
        ),
        pytest.param(
            ["cuda_version_lower_bound :: 12.0", "cuda_version_lower_bound :: 13.0"],
            "only one is allowed: nvidia :: cuda_version_lower_bound", id="two lower bounds",
        ),
    ],
)  # fmt: skip
def test_make_variant_refuses(
    newest: Variantlib, plain_wheel: Path, properties: list[str], complaint: str
) -> None:
    done = make_variant(newest, plain_wheel, "wrong", *properties)

    assert done.returncode != 0
    assert complaint in done.stderr
    assert list((newest.folder / "out").iterdir()) == []


@pytest.mark.deep
def test_make_variant_in_isolation_takes_our_wheel_from_a_folder(
    newest: Variantlib, plain_wheel: Path, tmp_path: Path
) -> None:
    """Until the provider is published, ``PIP_FIND_LINKS`` makes the default isolation work."""
    built = tmp_path / "built"
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(built), str(PROJECT)],
        check=True,
        capture_output=True,
        env=clean_environment(),
    )
    settings = {"PIP_FIND_LINKS": str(built), "PIP_NO_INDEX": "1"}
    arguments = ["-f", plain_wheel.name, "-o", "out", "--installer", "pip"]
    refused = ["-p", "nvidia :: sm_arch :: 999_reel"]

    done = newest.run(
        "make-variant", *arguments, "-p", "nvidia :: sm_arch :: 90_real", settings=settings
    )
    misspelt = newest.run("make-variant", *arguments, *refused, settings=settings)

    succeeded(done)
    assert "invalid according to the plugins" in misspelt.stderr
    assert len(list((newest.folder / "out").iterdir())) == 1


def test_wheels_made_by_variantlib_are_indexed_and_installed(
    client: Variantlib, plain_wheel: Path
) -> None:
    out = client.folder / "out"
    succeeded(make_variant(client, plain_wheel, "cu12", "cuda_version_lower_bound :: 12.0"))
    succeeded(make_variant(client, plain_wheel, "cu13", "cuda_version_lower_bound :: 13.0"))
    succeeded(client.run("make-variant", "-f", plain_wheel.name, "-o", "out", "--null-variant"))
    succeeded(client.run("generate-index-json", "-d", "out"))

    index = out / "kernels-1.0-variants.json"
    # As it was written: our reader refuses the drafts that older releases of variantlib write.
    assert set(json.loads(index.read_bytes())["variants"]) == {"cu12", "cu13", "null"}
    assert install_with_uv(out, ["kernels==1.0"], H100) == {"kernels": "cu12"}
    assert install_with_uv(out, ["kernels==1.0"], {}) == {"kernels": "null"}


CALLS = """
import contextlib, io, json, sys
from nvidia_variant_provider.plugin import NvidiaVariantPlugin as Plugin

printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    answers = [
        [[it.name, it.values, it.multi_value] for it in call()]
        for owner in (Plugin, Plugin())
        for call in (owner.get_supported_configs, owner.get_all_configs)
    ]
attributes = [Plugin.namespace, Plugin.is_build_plugin, Plugin.is_aot_plugin,
              Plugin.all_properties_compatible]
json.dump([answers, attributes, printed.getvalue()], sys.stdout)
"""


def test_class_and_instance_answer_alike_and_silently() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CALLS],
        env={**clean_environment(), **H100},
        capture_output=True,
        text=True,
        check=True,
    )

    (supported, every, *of_instance), attributes, printed = json.loads(done.stdout)

    assert of_instance == [supported, every]
    assert attributes == ["nvidia", False, False, False]
    assert (printed, done.stderr) == ("", "")
    assert [[it["name"], it["values"], it["multi_value"]] for it in as_json(catalogue())] == every


@pytest.mark.parametrize("rule_set", ["0", "1"])
@pytest.mark.parametrize(
    "machine",
    [
        pytest.param({}, id="this machine"),
        pytest.param(H100, id="H100"),
        pytest.param({FORCE_CUDA: "13.0", FORCE_SM: "6.1"}, id="Pascal"),
        pytest.param({FORCE_CUDA: "14.0", FORCE_SM: "13.0"}, id="later generation"),
    ],
)
def test_supported_is_a_subset_of_all(machine: dict[str, str], rule_set: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CALLS],
        env={**clean_environment(), **machine, RULES: rule_set},
        capture_output=True,
        text=True,
        check=True,
    )

    (supported, every, *_), _, _ = json.loads(done.stdout)

    known = {name: set(values) for name, values, _ in every}
    assert all(set(values) <= known[name] for name, values, _ in supported)
