"""What ``explain`` predicts is what the real uv installs and how the real variantlib orders."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import ClientError, install_with_uv, order_by_variantlib
from nvidia_variant_provider import overrides
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.demo.releases import RELEASES, write_releases
from nvidia_variant_provider.tools.demo.wheels import write_wheel
from nvidia_variant_provider.tools.explain.results import ORDINARY, Explanation
from nvidia_variant_provider.tools.explain.views import explain
from nvidia_variant_provider.tools.installers.machine_overrides import overrides_for
from nvidia_variant_provider.tools.installers.table import PROVIDER, UV
from nvidia_variant_provider.tools.metadata.readers import PEP
from nvidia_variant_provider.tools.metadata.strict import At, read_provider
from nvidia_variant_provider.tools.releases.source import read_release
from nvidia_variant_provider.tools.wheels.name import WheelName
from tests.tools.explain.releases import NAME, VERSION, build, metadata_of, write_release

if TYPE_CHECKING:
    from pathlib import Path

    from nvidia_variant_provider.tools.metadata.model import Variant

pytestmark = pytest.mark.clients

TARGETS = (
    "h100@580",
    "h100@570",
    "b200@570",
    "b200@580",
    "gtx-1080-ti@570",
    "v100@535",
    "t4@470",
    "vera-rubin@615",
    "rtx-5090@cuda13.2",
    "jetson-orin@jetpack6",
)


@pytest.fixture(scope="module")
def torch_wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    write_releases(folder)
    return folder


def found_labels(found: Explanation) -> set[str]:
    return {row.label for row in found.view(PROVIDER).rows}


def uv_takes(folder: Path, requirement: str, target: str) -> str | None:
    """Return the label uv installs, as ``explain`` spells results."""
    machine = parse_target(target).machine()
    platform = f"{machine.platform.architecture}-manylinux_2_28"
    name = requirement.partition("==")[0]
    # uv is given the facts as they are: what its own detection would have found.
    settings = {
        overrides.FORCE_CUDA: str(machine.cuda),
        overrides.FORCE_SM_ARCH: str(machine.capabilities[-1]),
    }
    try:
        found = install_with_uv(folder, [requirement], settings, python_platform=platform)[name]
    except ClientError as error:
        if "No solution found" not in str(error):
            raise
        return None
    return found if found is not None else ORDINARY


@pytest.mark.parametrize("version", sorted(RELEASES))
@pytest.mark.parametrize("target", TARGETS)
def test_uv_installs_what_is_predicted(torch_wheels: Path, version: str, target: str) -> None:
    release = read_release(str(torch_wheels), f"torch=={version}")
    predicted = explain(release, parse_target(target).machine()).view(UV).winner

    assert uv_takes(torch_wheels, f"torch=={version}", target) == predicted


@pytest.mark.parametrize("version", sorted(RELEASES))
@pytest.mark.parametrize(
    "target", ["h100@570", "gtx-1080-ti@570", "vera-rubin@615", "p100+b200@580"]
)
def test_variantlib_orders_as_predicted(torch_wheels: Path, version: str, target: str) -> None:
    machine = parse_target(target).machine()
    file = torch_wheels / f"torch-{version}-variants.json"
    # variantlib is given the metadata alone and knows nothing of wheels and their platforms.
    metadata_only = read_release(str(torch_wheels), f"torch=={version}")
    release = type(metadata_only)(
        "torch", version, "test", None, metadata_only.metadata, listed=True
    )
    rows = explain(release, machine).view(PROVIDER).rows

    assert order_by_variantlib(file, {overrides.TARGET: target}) == [
        row.label for row in rows if row.place is not None
    ]


VALUES = ("50_real", "70_real", "80_real", "90_real", "100_real", "120_real", "90_virtual")


def made_up(seed: int) -> dict[str, Variant]:
    chosen = random.Random(seed)  # noqa: S311 - no secret: the same releases in every run
    variants = {
        label: build(
            chosen.choice(("", "12.0", "12.8", "13.0")),
            " ".join(sorted(chosen.sample(VALUES, chosen.randint(0, 4)))),
            chosen.choice(("1", "2", "3")),
            chosen.choice(("", "", "13.0", "14.0")),
        )
        for label in ("a", "b", "c")
    }
    return {**variants, "null": {}} if chosen.random() < 0.5 else variants


@pytest.mark.parametrize("seed", range(12))
def test_uv_and_variantlib_agree_on_made_up_releases(seed: int, tmp_path: Path) -> None:
    write_release(tmp_path, made_up(seed), ordinary=seed % 3 != 0)
    target = TARGETS[seed % len(TARGETS)]
    found = explain(read_release(str(tmp_path)), parse_target(target).machine())
    file = tmp_path / f"{NAME}-{VERSION}-variants.json"

    assert uv_takes(tmp_path, f"{NAME}=={VERSION}", target) == found.view(UV).winner
    ordered = order_by_variantlib(file, {overrides.TARGET: target})
    if "null" not in found_labels(found):
        # variantlib ends with the null variant whether the release has one or not.
        ordered.remove("null")
    assert ordered == [
        row.label
        for row in found.view(PROVIDER).rows
        if row.place is not None and row.label != ORDINARY
    ]


@pytest.mark.parametrize("target", ["gtx-1080-ti@580", "gh200@580", "a10+t4@570"])
def test_with_our_variables_uv_takes_what_the_provider_would(
    torch_wheels: Path, target: str
) -> None:
    machine = parse_target(target).machine()
    release = read_release(str(torch_wheels), "torch==2.14.1")
    ours = explain(release, machine).view(PROVIDER).winner
    variables = overrides_for(machine).variables
    platform = f"{machine.platform.architecture}-manylinux_2_28"

    took = install_with_uv(torch_wheels, ["torch==2.14.1"], variables, python_platform=platform)

    assert took == {"torch": ours}


@pytest.mark.parametrize(
    ("change", "expected"), [({}, ["a", "null"]), ({"optional": True}, ["null"])], ids=str
)
def test_variantlib_skips_what_is_predicted(
    change: dict[str, object], expected: list[str], tmp_path: Path
) -> None:
    write_release(tmp_path, {"a": build("12.0", "90_real"), "null": {}}, ordinary=False)
    file = tmp_path / f"{NAME}-{VERSION}-variants.json"
    document = json.loads(file.read_text())
    document["providers"]["nvidia"].update(change)
    file.write_text(json.dumps(document))
    found = explain(read_release(str(tmp_path)), parse_target("h100@580").machine())

    assert order_by_variantlib(file, {overrides.TARGET: "h100@580"}) == expected
    assert [it.label for it in found.view(PROVIDER).rows if it.place is not None] == expected


def test_uv_takes_a_static_entry_only_if_the_wheels_carry_it_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["properties", "--target", "gtx-1080-ti@580", "--format", "static"])
    entry = capsys.readouterr().out
    variants = {"new": build("13.0", "75_real"), "old": build("12.0", "60_real"), "null": {}}
    static = read_provider(json.loads(entry)["nvidia"], At("", PEP))
    in_wheels = replace(metadata_of(variants), providers={"nvidia": static})
    for name, metadata in (("plain", metadata_of(variants)), ("static", in_wheels)):
        (tmp_path / name).mkdir()
        for label in variants:
            wheel = WheelName(NAME, VERSION, "", "py3", "none", "any", label)
            write_wheel(tmp_path / name, wheel, metadata)
        file = tmp_path / name / f"{NAME}-{VERSION}-variants.json"
        file.write_text(in_wheels.to_json())
    requirement = [f"{NAME}=={VERSION}"]

    # No variable tells uv of a GPU. It chooses by the index, and checks again by the wheel.
    assert install_with_uv(tmp_path / "static", requirement, {}) == {NAME: "old"}
    with pytest.raises(ClientError, match="`old` requires unsupported properties"):
        install_with_uv(tmp_path / "plain", requirement, {})
