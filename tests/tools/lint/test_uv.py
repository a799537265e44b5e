"""What lint says of uv, held to uv itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nvidia_variant_provider.tools.findings.model import Uv
from nvidia_variant_provider.tools.lint.engine import RULES, lint
from nvidia_variant_provider.tools.metadata.readers import PEP
from nvidia_variant_provider.tools.metadata.strict import At, read_provider
from nvidia_variant_provider.tools.metadata.uv import uv_skips
from tests.tools.lint.releases import (
    Json,
    Section,
    merge_patch,
    read_base,
    read_sections,
    write_release,
)
from tests.tools.lint.uv import uv_install

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.clients

HOPPER = {
    "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "13.0",
    "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0",
}
BEST = "cuda13.0"
REFUSED = "refused"
EFFECTS = {rule.code: rule.uv for rule in RULES}


def what_uv_does(folder: Path) -> str:
    """Return the label that uv installs on a machine with an H100, or that it refuses to."""
    done = uv_install(HOPPER, "--find-links", str(folder), "--no-index", "demo")
    return REFUSED if done.label is None else done.label


def effects(folder: Path) -> set[Uv]:
    return {finding.rule.uv for finding in lint([str(folder)]).findings} - {Uv.NONE}


def with_provider(entry: Json) -> Json:
    release = read_base()
    release["index"]["providers"]["nvidia"] = entry
    return release


def test_uv_uses_the_release_that_the_examples_change(tmp_path: Path) -> None:
    folder = write_release(tmp_path / "release", read_base())

    assert what_uv_does(folder) == BEST


@pytest.mark.parametrize("section", read_sections(), ids=lambda it: it.code)
def test_uv_does_what_the_code_says(section: Section, tmp_path: Path) -> None:
    folder = write_release(tmp_path / "release", merge_patch(read_base(), section.example))
    done = what_uv_does(folder)

    assert {
        Uv.REFUSES: done == REFUSED,
        Uv.SKIPS: done not in {REFUSED, BEST},
        Uv.NONE: done != REFUSED,
    }[EFFECTS[section.code]]


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param({"providers": {"nvidia": {"requires": ["NVIDIA_Variant.Provider"]}}},
                     id="another spelling of the package"),
        pytest.param({"providers": {"nvidia": {"requires": ["nvidia-variant-provider===0.0.1"]}}},
                     id="arbitrary equality"),
        pytest.param({"providers": {"nvidia": {"optional": False}}}, id="not optional, in words"),
        pytest.param({"$schema": "https://variants-schema.wheelnext.dev/v0.2.0.json"},
                     id="the schema's other name"),
        pytest.param({"$schema": "https://invented.example/v9.json"}, id="unknown schema"),
        pytest.param({"variants": {BEST: {"nvidia": {"sm_arch": ["90_real", "100_real"]}}}},
                     id="not sorted"),
        pytest.param({"variants": {BEST: {"nvidia": {"sm_arch": ["90_real", "90a_real"]}}}},
                     id="one value unknown to uv"),
        pytest.param({"variants": {"a_label_of_more_than_sixteen_characters": {
            "nvidia": {"cuda_version_lower_bound": ["11.8"], "sm_arch": ["80_real"]}}}},
            id="long label"),
        pytest.param({"default-priorities": {"namespace": ["nvidia", "priority"]},
                      "providers": {"priority": {"static-properties": {"order": ["1", "2"]}}},
                      "variants": {BEST: {"priority": {"order": ["1"]}}}}, id="static namespace"),
    ],
)  # fmt: skip
def test_uv_uses_what_lint_passes(patch: Json, tmp_path: Path) -> None:
    described = merge_patch(read_base(), {"index": patch})
    described["wheels"] |= {
        f"demo-1.0-py3-none-manylinux_2_28_x86_64-{label}.whl": {}
        for label in described["index"]["variants"]
    }
    folder = write_release(tmp_path / "release", described)

    assert (effects(folder), what_uv_does(folder)) == (set(), BEST)


ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "requires": st.lists(
            st.sampled_from(
                [
                    "nvidia-variant-provider>=0.0.1,<1.0.0",
                    "Nvidia_variant-provider",
                    "nvidia-variant-provider<0.1",
                    "nvidia-variant-provider~=0.0.1",
                    "nvidia-variant-provider!=0.0.1",
                    "nvidia-variant-provider>0.0.1",
                    "nvidia-variant-provider[x]",
                    "nvidia-variant-provider;python_version>'3'",
                    "nvidia-variant-provider @ https://invented.example/a-1-py3-none-any.whl",
                    "nvidia-variant-provider >= one",
                    "invented-provider>=0.0.1",
                ]
            ),
            max_size=2,
        ),
        "plugin-api": st.sampled_from(
            [
                "nvidia_variant_provider.plugin:NvidiaVariantPlugin",
                "nvidia_variant_provider.plugin: NvidiaVariantPlugin",
                "nvidia_variant_provider.plugin",
                "",
            ]
        ),
        "optional": st.booleans(),
        "static-properties": st.just({"sm_arch": ["90_real"]}),
        "enable-if": st.just("platform_system == 'Linux'"),
        "feature-order": st.just(["sm_arch"]),
    },
)
# Most entries that differ at random differ in several things; these differ in none or one.
NEAR = st.builds(
    lambda entry, key, drawn: {**entry, key: drawn[key]} if key in drawn else entry,
    st.just(read_base()["index"]["providers"]["nvidia"]),
    st.sampled_from(["requires", "plugin-api", "optional", "enable-if", "feature-order"]),
    ENTRIES,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(entry=ENTRIES | NEAR)
def test_lint_finds_fault_with_exactly_the_entries_that_uv_does_not_use(
    entry: Json, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = write_release(tmp_path_factory.mktemp("release"), with_provider(entry))
    done = what_uv_does(folder)

    said = effects(folder)
    assert (bool(said), Uv.REFUSES in said) == (done != BEST, done == REFUSED), json.dumps(entry)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="the usual entry"),
        pytest.param({"optional": True}, id="optional"),
        pytest.param({"plugin_api": "nvidia_variant_provider.plugin"}, id="module only"),
        pytest.param({"requires": ("nvidia-variant-provider>=0.0.2",)}, id="newer"),
        pytest.param({"requires": ("nvidia-variant-provider", "packaging")}, id="two"),
        pytest.param({"requires": ("nvidia_variant_provider",)}, id="other spelling"),
    ],
)
def test_lint_and_the_shared_reader_agree_on_uv(changes: dict[str, Any], tmp_path: Path) -> None:
    entry = merge_patch(read_base()["index"]["providers"]["nvidia"], {})
    provider = replace(read_provider(entry, At("", PEP)), **changes)
    written = provider.to_document()
    folder = write_release(tmp_path / "release", with_provider(written))

    assert (uv_skips(provider) is not None) == (Uv.SKIPS in effects(folder))
