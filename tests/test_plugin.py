"""The API endpoint by itself, in a fresh interpreter: it remembers what it found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import nvidia_variant_provider
from nvidia_variant_provider.detect.files import Files
from nvidia_variant_provider.detect.gate import has_sign
from nvidia_variant_provider.errors import OverrideError
from nvidia_variant_provider.plugin import NvidiaVariantPlugin, VariantFeatureConfig
from nvidia_variant_provider.provider import answer
from nvidia_variant_provider.rules import catalogue
from tests.native.asking import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

PLATFORM = {"system": "linux", "architecture": "x86_64"}
ASK = """
import json
from nvidia_variant_provider.plugin import NvidiaVariantPlugin as plugin
first = plugin.get_supported_configs()
again = plugin().get_supported_configs()
rows = [[[it.name, it.values, it.multi_value] for it in told] for told in (first, again)]
print(json.dumps(rows))
"""
FORCED = {
    "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "12.8",
    "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0",
}


def ask(lines: str = ASK, **variables: str) -> Any:  # noqa: ANN401 - what JSON holds
    done = subprocess.run(
        [sys.executable, "-c", lines],
        cwd=REPOSITORY,
        env={**os.environ, **variables},
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_forced_facts_are_answered_twice_alike() -> None:
    first, again = ask(**FORCED)

    assert first == again
    assert [(name, values[0], multi) for name, values, multi in first] == [
        ("cuda_version_lower_bound", "12.8", False),
        ("cuda_version_upper_bound", "15.20", False),
        ("sm_arch", "90a_real", True),
    ]


@pytest.mark.skipif(has_sign(Files(), sys.platform), reason="this machine has NVIDIA hardware")
def test_without_nvidia_nothing_is_supported() -> None:
    assert ask() == [[], []]


@pytest.mark.parametrize("collecting", [True, False])
@pytest.mark.parametrize("version", ["12.8", "not a version"])
def test_the_garbage_collector_is_left_as_it_was(collecting: bool, version: str) -> None:  # noqa: FBT001
    lines = f"""
import gc
gc.{"enable" if collecting else "disable"}()
from nvidia_variant_provider.plugin import NvidiaVariantPlugin as plugin
try:
    plugin.get_supported_configs()
except ValueError:
    pass
print("true" if gc.isenabled() else "false")
"""
    variables = {**FORCED, "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": version}

    assert ask(lines, **variables) is collecting


def test_a_want_of_descriptors_that_is_the_hosts_own_passes_through() -> None:
    lines = """
import errno, json, os
from nvidia_variant_provider.plugin import NvidiaVariantPlugin as plugin
class Strange(dict):
    def __iter__(self):
        raise OSError(errno.EMFILE, "of the host")
os.environ = Strange()
try:
    plugin.get_supported_configs()
except OSError as error:
    print(json.dumps([type(error).__name__, error.strerror]))
"""

    assert ask(lines) == ["OSError", "of the host"]


def test_a_caller_may_change_what_it_got() -> None:
    lines = ASK.replace("again =", "first[0].values.clear(); first.clear()\nagain =")

    _, again = ask(lines, **FORCED)

    assert again[0][1][0] == "12.8"


def test_every_value_is_listed_whatever_the_machine() -> None:
    told = [
        (it.name, tuple(it.values), it.multi_value) for it in NvidiaVariantPlugin.get_all_configs()
    ]

    assert told == [(it.name, it.values, it.multi_value) for it in catalogue()]


def test_configs_are_equal_by_content_and_show_it() -> None:
    config = VariantFeatureConfig("sm_arch", ["90_real"], multi_value=True)

    assert config == VariantFeatureConfig("sm_arch", ["90_real"], multi_value=True)
    assert config != VariantFeatureConfig("sm_arch", ["90_real"], multi_value=False)
    assert config != ("sm_arch", ["90_real"], True)
    assert repr(config) == "VariantFeatureConfig('sm_arch', ['90_real'], True)"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "a readable file: No such file"),
        ("{", "a machine file: "),
        ("[]", "a machine file: "),
    ],
)
def test_a_machine_file_that_cannot_be_used_is_named(
    content: str | None, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "node.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(OverrideError) as raised:
        answer({"NV_VARIANT_PROVIDER_MACHINE": str(path)})

    assert str(raised.value).startswith(f"NV_VARIANT_PROVIDER_MACHINE={str(path)[:60]!r}"[:60])
    assert f"expected {expected}" in str(raised.value)


def test_a_machine_file_says_why_it_supports_nothing(tmp_path: Path) -> None:
    machine = {"status": "none", "reason": "no sign", "platform": PLATFORM, "gpus": []}
    reasons = []
    for row in (machine, {**machine, "reason": ""}):
        (tmp_path / "node.json").write_text(json.dumps(row))
        found = answer({"NV_VARIANT_PROVIDER_MACHINE": str(tmp_path / "node.json")})
        reasons.append(found.detection.machine.reason)

    place = f"read from {tmp_path / 'node.json'}"
    assert reasons == [f"{place}: no sign", place]


def test_the_package_itself_is_an_endpoint() -> None:
    assert nvidia_variant_provider.get_all_configs() == NvidiaVariantPlugin.get_all_configs()
    assert {"get_supported_configs", "get_all_configs"} <= set(dir(nvidia_variant_provider))


ASK_ALL = """
import json, nvidia_variant_provider as package
from nvidia_variant_provider.plugin import NvidiaVariantPlugin as default
from nvidia_variant_provider.plugin import NvidiaVariantPluginV0 as first
print(json.dumps([[[it.name, it.values] for it in endpoint.get_supported_configs()]
                  for endpoint in (package, default, first)]))
"""


def test_one_endpoint_keeps_rule_set_0_whatever_the_environment_says() -> None:
    forced = {**FORCED, "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "10.3"}
    by_rules = [
        [
            [it.name, list(it.values)]
            for it in answer({**forced, "NV_VARIANT_PROVIDER_RULES": rules}).decision.features
        ]
        for rules in "01"
    ]

    package, default, first = ask(ASK_ALL, **forced, NV_VARIANT_PROVIDER_RULES="1")
    assert package == default == by_rules[1]
    assert first == by_rules[0] != by_rules[1]
