"""Order, reasons and warnings of each installer's result."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.model import ComputeCapability, Gpu
from nvidia_variant_provider.rules import judge
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.demo.wheels import release_metadata
from nvidia_variant_provider.tools.explain.results import ORDINARY, Explanation
from nvidia_variant_provider.tools.explain.views import explain
from nvidia_variant_provider.tools.explain.words import say_archs
from nvidia_variant_provider.tools.installers.table import PIP, PROVIDER, UV, Installer
from nvidia_variant_provider.tools.metadata.model import Provider
from nvidia_variant_provider.tools.releases.source import read_release
from tests.strategies import machine, machines
from tests.tools.explain.releases import build, metadata_of, release_of
from tests.tools.lint.releases import merge_patch, read_base
from tests.tools.lint.releases import write_release as write_described

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nvidia_variant_provider.tools.metadata.model import Variant
    from nvidia_variant_provider.tools.releases.release import Release

TORCH = {
    "cu130": build("13.0", "75_real 80_real 90_real 100_real 120_real", "1"),
    "cu126": build("12.0", "50_real 60_real 70_real 90_real", "2"),
    "null": {},
}


def torch_on(target: str) -> Explanation:
    return explain(release_of(TORCH), parse_target(target).machine())


def winners(found: Explanation) -> dict[Installer, str | None]:
    return {view.installer: view.winner for view in found.views}


def test_the_newest_build_that_fits_wins_and_the_rest_say_why() -> None:
    found = torch_on("h100@580")

    assert winners(found) == {PROVIDER: "cu130", UV: "cu130", PIP: ORDINARY}
    assert [(row.label, row.place, row.reason) for row in found.view(PROVIDER).rows] == [
        ("cu130", 1, "90_real for H100 (9.0)"),
        ("cu126", 2, "after cu130 by nvidia :: cuda_version_lower_bound: 13.0 before 12.0"),
        ("null", 3, "the null variant, after every other"),
        (ORDINARY, 4, "after every variant"),
    ]
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("target", "label", "reason"),
    [
        ("h100@570", "cu130", "this machine supports 12.8 (driver branch R570)"),
        ("h100@570.86.15", "cu130", "this machine supports 12.8 (driver release 570.86.15)"),
        ("h100@cuda12.8", "cu130", "needs CUDA >= 13.0, this machine supports 12.8"),
        ("b200@580", "cu126", "sm_arch: has 50 60 70 90, this GPU is 10.0"),
        ("v100+p100@570", "cu130", "sm_arch: has 75 80 90 100 120, the GPUs are 6.0, 7.0"),
    ],
)  # fmt: skip
def test_the_deciding_property_is_said_in_words(target: str, label: str, reason: str) -> None:
    assert reason in torch_on(target).view(PROVIDER).reason_of(label)


def test_ties_are_called_ties() -> None:
    same = build("12.0", "90_real")
    found = explain(release_of({"one": same, "two": same}), parse_target("h100@580").machine())

    assert "by the label alone" in found.view(PROVIDER).reason_of("two")


def test_a_gpu_machine_that_ends_at_null_is_warned_about() -> None:
    found = torch_on("b200@570")

    assert winners(found) == {PROVIDER: "null", UV: "null", PIP: ORDINARY}
    assert any("selects null, although this machine has a GPU" in it for it in found.warnings)


def test_without_null_the_ordinary_wheel_is_what_is_left() -> None:
    found = explain(release_of({"cu130": TORCH["cu130"]}), parse_target("b200@570").machine())

    assert found.view(PROVIDER).winner == ORDINARY
    assert any("selects no label" in it for it in found.warnings)


def test_with_neither_nothing_is_left() -> None:
    release = release_of({"cu130": TORCH["cu130"]}, ordinary=False)
    found = explain(release, parse_target("b200@570").machine())

    assert winners(found) == {PROVIDER: None, UV: None, PIP: None}


def test_a_machine_without_gpu_is_not_warned() -> None:
    assert explain(release_of(TORCH), machine(None)).warnings == ()


def test_ptx_at_first_use_is_warned_about_and_uv_disagrees() -> None:
    ptx = {"cu130": build("13.0", "75_real 90_real 90_virtual"), "null": {}}
    found = explain(release_of(ptx), parse_target("b200@580").machine())

    assert winners(found) == {PROVIDER: "cu130", UV: "null", PIP: ORDINARY}
    assert any("has only PTX (90_virtual) for B200 (10.0)" in it for it in found.warnings)
    assert any(
        "they disagree: the provider selects cu130, uv selects null" in it for it in found.warnings
    )
    assert "rule set 0 takes only 100_real to 100_virtual" in found.view(UV).reason_of("cu130")


def test_a_gpu_that_the_build_leaves_out_is_named() -> None:
    found = torch_on("p100+b200@580")

    assert winners(found)[PROVIDER] == "cu126"
    choice = "no build of this release serves every GPU here: NV_VARIANT_PROVIDER_GPU=1 chooses "
    assert "cu126 has no device code for B200 (10.0)" in found.warnings
    assert f"{choice}B200 (10.0); cu130 has code for it" in found.warnings


def test_a_gpu_that_nothing_serves_is_named_as_such() -> None:
    release = release_of({"cu126": TORCH["cu126"]})
    found = explain(release, parse_target("p100+b200@580").machine())

    assert found.warnings[-1] == (
        "no build of this release serves every GPU here: NV_VARIANT_PROVIDER_GPU=1 chooses B200 "
        "(10.0); none has code for it"
    )


def test_where_another_build_serves_every_gpu_no_choice_of_one_is_proposed() -> None:
    both = build("13.2", "60_real 75_real 100_real")
    release = release_of({"cu126": TORCH["cu126"], "cu130": both})

    found = explain(release, parse_target("p100+b200@580").machine())

    assert not any("no build of this release" in warning for warning in found.warnings)


def test_a_display_gpu_beside_big_ones_is_said_to_count_for_nothing() -> None:
    big = parse_target("rtx-5090@580").machine()
    small = Gpu("Quadro P400", capability=ComputeCapability(6, 1), memory=2048)
    gpus = (*(replace(gpu, memory=32768) for gpu in big.gpus), small)

    found = explain(release_of(TORCH), replace(big, gpus=gpus))

    assert winners(found)[PROVIDER] == "cu130"
    assert any("Quadro P400 (6.1, 2048 MiB): too small" in it for it in found.warnings)
    assert not any("no device code for Quadro" in it for it in found.warnings)


def test_orin_is_told_about_tegra() -> None:
    found = explain(
        release_of({"cu126": build("12.0", "80_real 90_real")}),
        parse_target("jetson-orin@jetpack6").machine(),
    )

    assert "different sides of Tegra and desktop" in found.view(PROVIDER).reason_of("cu126")
    assert found.view(UV).winner == "cu126"
    assert any("cu126 has no device code for Jetson AGX Orin" in it for it in found.warnings)


def test_orin_is_told_of_the_newest_code_of_its_own_major_alone() -> None:
    explanation = explain(
        release_of({"cu126": build("12.0", "75_real 80_real")}),
        parse_target("jetson-orin@jetpack6").machine(),
    )

    reason = explanation.view(PROVIDER).reason_of("cu126")
    assert reason.startswith(
        "sm_arch: has 75 80, 80_real and this GPU (8.7) are on different sides"
    )


def test_a_value_that_is_no_architecture_is_shown_as_it_is() -> None:
    assert say_archs(["80_real", "odd", "90_virtual"]) == "80 and PTX 90 and odd"


def test_wheels_of_another_platform_are_out() -> None:
    release = release_of(
        TORCH, {"cu130": "manylinux_2_28_aarch64", "cu126": "manylinux_2_28_x86_64"}
    )
    found = explain(release, parse_target("gh200@580").machine())

    assert found.view(PROVIDER).winner == "cu130"
    assert (
        found.view(PROVIDER).reason_of("cu126")
        == "no wheel for linux aarch64: there is manylinux_2_28_x86_64"
    )


@pytest.mark.parametrize(("libc", "winner"), [("glibc", "cu130"), ("musl", None)])
def test_the_c_library_counts(libc: str, winner: str | None) -> None:
    here = machine("13.0", "9.0")
    here = replace(here, platform=replace(here.platform, libc=libc))
    tag = "manylinux_2_28_x86_64"
    release = release_of({"cu130": TORCH["cu130"]}, {"cu130": tag}, ordinary=False)

    assert explain(release, here).view(PROVIDER).winner == winner


@pytest.mark.parametrize(
    ("change", "installers", "words"),
    [
        ({"requires": ("nvidia-variant-provider>=0.0.2,<1.0.0",)}, [UV], "0.0.1"),
        ({"plugin_api": None}, [UV], "plugin-api"),
        ({"plugin_api": "x:y"}, [PROVIDER, UV], "plugin-api"),
        ({"optional": True}, [PROVIDER, UV], "optional"),
        ({"requires": ("nvidia-variant-provider<0.0.2",)}, [PROVIDER], "excludes this provider"),
        ({"requires": ("other-provider",)}, [PROVIDER, UV], "nvidia-variant-provider"),
    ],
    ids=str,
)
def test_metadata_that_makes_an_installer_skip_the_provider_is_warned_about(
    change: dict[str, Any], installers: list[Installer], words: str
) -> None:
    metadata = metadata_of(TORCH)
    provider = replace((metadata.providers or {})["nvidia"], **change)
    changed = replace(metadata, providers={**(metadata.providers or {}), "nvidia": provider})
    found = explain(release_of(TORCH, metadata=changed), parse_target("h100@580").machine())
    skipped = [it for it in found.warnings if "does not answer for nvidia" in it]

    assert [it for it in (PROVIDER, UV) if found.view(it).winner == "null"] == installers
    assert len(skipped) == len(installers)
    assert all(words in it for it in skipped)


def test_static_properties_take_the_provider_s_place() -> None:
    static = Provider(static_properties={"sm_arch": ("60_real",)})
    metadata = metadata_of({"old": build("", "60_real"), "null": {}})
    changed = replace(metadata, providers={"nvidia": static})
    found = explain(
        release_of({"old": build("", "60_real"), "null": {}}, metadata=changed), machine(None)
    )

    assert winners(found) == {PROVIDER: "old", UV: "old", PIP: ORDINARY}


def test_uv_sees_no_variants_without_the_file_beside_the_wheels() -> None:
    found = explain(release_of(TORCH, listed=False), parse_target("h100@580").machine())

    assert winners(found) == {PROVIDER: "cu130", UV: ORDINARY, PIP: ORDINARY}
    assert any("uv sees no variant without a demo-1.2-variants.json" in it for it in found.warnings)


def test_uv_gives_up_a_release_with_metadata_it_cannot_read() -> None:
    broken = replace(release_of(TORCH), metadata=None, trouble="variants.json: seen 1, expected 2")
    found = explain(broken, parse_target("h100@580").machine())

    assert (found.view(UV).winner, found.view(PROVIDER).winner) == (None, ORDINARY)
    assert "variants.json: seen 1, expected 2" in found.warnings


def test_uv_without_nvidia_smi_is_blind_and_the_way_out_is_named() -> None:
    found = explain(release_of(TORCH), parse_target("h100@580").machine(), uv_blind=True)

    assert (found.view(PROVIDER).winner, found.view(UV).winner) == ("cu130", "null")
    assert any("nvidia-variant-provider run --" in it for it in found.warnings)


def test_a_wheel_whose_label_the_metadata_lacks_is_out() -> None:
    release = release_of({**TORCH, "cu999": {}}, metadata=metadata_of(TORCH))
    found = explain(release, machine("13.0", "9.0"))

    assert found.view(PROVIDER).winner == "cu130"
    assert found.view(PROVIDER).reason_of("cu999") == "the metadata names no such label"


def test_a_label_without_a_wheel_is_out() -> None:
    release = replace(release_of({"cu126": TORCH["cu126"]}), metadata=metadata_of(TORCH))
    found = explain(release, machine("13.0", "9.0"))

    assert found.view(PROVIDER).winner == "cu126"
    assert found.view(PROVIDER).reason_of("cu130") == "there is no wheel with the label cu130"


def test_a_namespace_of_another_provider_is_not_judged() -> None:
    metadata = metadata_of(TORCH)
    amd = Provider(requires=("amd-variant-provider",), plugin_api="amd.plugin")
    changed = replace(
        metadata,
        providers={**(metadata.providers or {}), "amd": amd},
        namespaces=(*metadata.namespaces, "amd"),
        variants={**metadata.variants, "rocm": {"amd": {"gfx_arch": ("gfx942",)}}},
    )
    release = release_of({**TORCH, "rocm": {}}, metadata=changed)
    found = explain(release, machine("13.0", "9.0"))

    assert found.view(PROVIDER).reason_of("rocm").startswith("amd: another provider answers")
    assert (
        "amd: not judged here, as another provider answers; a variant that states it may win"
        in found.warnings
    )


BUILDS = st.builds(
    build,
    st.sampled_from(["", "11.0", "12.0", "12.8", "13.0"]),
    st.lists(
        st.sampled_from(
            ["50_real", "75_real", "80_real", "90a_real", "100f_real", "75_virtual", "90_virtual"]
        ), unique=True, max_size=5
    ).map(" ".join),
    st.sampled_from(["", "1", "2", "3"]),
).filter(bool)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), BUILDS, min_size=1), machines)
def test_what_is_placed_is_supported_and_what_is_not_has_a_reason(
    variants: dict[str, dict[str, dict[str, tuple[str, ...]]]], of: object
) -> None:
    found = explain(release_of({**variants, "null": {}}), of)  # type: ignore[arg-type]
    for installer, rules in ((PROVIDER, 1), (UV, 0)):
        view = found.view(installer)
        assert {row.label for row in view.rows} == {*variants, "null", ORDINARY}
        for row in view.rows:
            assert row.reason
            stated = variants.get(row.label, {}).get("nvidia", {})
            fits = all(
                any(judge(of, feature, value, rules).supported for value in values)  # type: ignore[arg-type]
                for feature, values in stated.items()
            )
            assert (row.place is not None) == fits
    placed = [row.place for row in found.view(PROVIDER).rows if row.place is not None]

    assert placed == list(range(1, len(placed) + 1))


STATIC = Provider(static_properties={"library": ("mkl",)}, optional=True)


def optional_release() -> Release:
    metadata = release_metadata(
        {"mkl": {"blas": {"library": ("mkl",)}}, "null": {}}, {"blas": STATIC}
    )
    return release_of(metadata.variants, metadata=metadata)


@pytest.mark.parametrize(
    ("enabled", "winner"), [((), "null"), (("blas",), "mkl"), (("nvidia",), "null")]
)
def test_an_optional_provider_of_fixed_values_offers_them_where_it_is_enabled(
    enabled: tuple[str, ...], winner: str
) -> None:
    found = explain(optional_release(), parse_target("h100@580").machine(), enabled=enabled)

    assert (found.view(PROVIDER).winner, found.view(UV).winner) == (winner, "null")
    if not enabled:
        assert found.view(PROVIDER).reason_of("mkl") == (
            "blas: an optional provider is asked only where the user enables it"
        )


def test_each_installer_sees_the_release_as_its_own_reader_does() -> None:
    document = document_of(TORCH)
    document["$schema"] = "https://packaging.python.org/variants/v2.0.0.json"
    data = json.dumps(document).encode()
    release = replace(release_of(TORCH), document=data, document_name="torch-variants.json")

    found = explain(release, parse_target("h100@580").machine())

    assert found.view(UV).winner not in {None, ORDINARY, "null"}
    assert found.view(PROVIDER).winner == ORDINARY
    assert "seen an unknown major version" in found.view(PROVIDER).remark


def document_of(variants: Mapping[str, Variant]) -> dict[str, object]:
    parsed: dict[str, object] = json.loads(metadata_of(variants).to_json())
    return parsed


def test_a_marker_of_the_selected_wheel_is_named(tmp_path: Path) -> None:
    best = "demo-1.0-py3-none-manylinux_2_28_x86_64-cuda13.0.whl"
    plain = "demo-1.0-py3-none-manylinux_2_28_x86_64.whl"
    marked = {"requires-dist": ["six>=1; variant_label == 'cuda13.0' and os_name == 'posix'"]}
    patch = {"wheels": {best: marked, plain: marked}}
    folder = write_described(tmp_path / "release", merge_patch(read_base(), patch))

    found = explain(read_release(str(folder)), parse_target("h100@580").machine())

    assert winners(found) == {PROVIDER: "cuda13.0", UV: None, PIP: None}
    assert found.view(UV).reason_of("null") == "uv refuses the release"
    assert [it for it in found.warnings if "refuses" in it] == [
        f"uv refuses the release: {best}: requires six>=1 with variant_label == 'cuda13.0'",
        (
            f"pip refuses the wheel without a label: {plain}: requires six>=1 with "
            "variant_label == 'cuda13.0'"
        ),
    ]
