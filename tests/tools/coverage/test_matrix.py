from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.torch.clients import (
    install_with_uv,
    installed_label,
    order_by_variantlib,
    uv_executable,
)
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.machine_file import dump
from nvidia_variant_provider.rules import decide
from nvidia_variant_provider.tools.coverage import (
    Ending,
    Fleet,
    StatedMachine,
    cover,
    find,
    read_release,
    tally,
)
from nvidia_variant_provider.tools.coverage.catalogue import catalogue, target_entry
from nvidia_variant_provider.tools.coverage.findings import (
    HOLE,
    NO_BUILD,
    SHADOW,
    SOME_GPUS,
    TIE,
    UNUSED,
)
from nvidia_variant_provider.tools.coverage.mirror import chosen_wheels, requirements, smallest
from nvidia_variant_provider.tools.coverage.reasons import Reasons
from nvidia_variant_provider.tools.demo.releases import release as torch_release
from nvidia_variant_provider.tools.demo.releases import write_releases
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL
from tests.tools.coverage.samples import (
    fleet,
    gpu,
    properties,
    release,
    some_machines,
    some_variants,
    stated,
    with_labels,
)

if TYPE_CHECKING:
    from pathlib import Path

    from nvidia_variant_provider.tools.coverage import FleetFinding, Release, Row
    from nvidia_variant_provider.tools.findings.model import Rule


LINUX = "x86_64-unknown-linux-gnu"


def problems(made: Release, machines: Fleet) -> dict[Rule, FleetFinding]:
    return {finding.rule: finding for finding in find(cover(made, machines))}


@settings(deadline=None)
@given(variants=some_variants, facts=st.lists(some_machines, min_size=1, max_size=6))
def test_choices_are_those_of_the_ordering_machine_by_machine(
    variants: dict[str, dict[str, dict[str, tuple[str, ...]]]], facts: list[StatedMachine]
) -> None:
    made = release(variants | {NULL_LABEL: {}})

    for row in cover(made, fleet(*facts)).rows:
        features = decide(row.kind.machine).features
        wanted = made.strict.preferences({"nvidia": features}).order(made.strict.variants)
        assert row.order == wanted
        assert row.choice.label == wanted[0]


@settings(deadline=None, max_examples=40)
@given(variants=some_variants, facts=st.lists(some_machines, min_size=1, max_size=6))
def test_smallest_mirror_changes_nothing_and_nothing_less_does(
    variants: dict[str, dict[str, dict[str, tuple[str, ...]]]], facts: list[StatedMachine]
) -> None:
    made, machines = release(variants | {NULL_LABEL: {}}), fleet(*facts)
    whole = cover(made, machines)
    labels = smallest([whole])

    assert choices(with_labels(made, labels), machines) == choices(made, machines)
    for label in labels:
        fewer = with_labels(made, set(labels) - {label})
        assert choices(fewer, machines) != choices(made, machines)


def choices(made: Release, machines: Fleet) -> list[str]:
    return [str(row.choice) for row in cover(made, machines).rows]


def test_variant_without_a_wheel_for_the_platform_is_not_chosen() -> None:
    made = release(
        {"x86": properties("12.0", "90_real"), NULL_LABEL: {}},
        "pkg-1.0-py3-none-manylinux_2_28_x86_64-x86.whl",
        "pkg-1.0-py3-none-any-null.whl",
    )
    (arm, x86) = cover(made, fleet(gpu("9.0", "13.0", "aarch64"), gpu("9.0", "13.0"))).rows

    assert (x86.choice.label, arm.choice.label) == ("x86", NULL_LABEL)
    assert Reasons(cover(made, fleet(gpu("9.0", "13.0", "aarch64")))).refusal(arm.kind, "x86") == (
        "no wheel for linux aarch64"
    )


def test_ordinary_wheel_and_then_nothing_come_after_the_variants() -> None:
    variants = {"cu": properties("13.0", "90_real")}
    wheel = "pkg-1.0-py3-none-manylinux_2_28_x86_64-cu.whl"
    old = fleet(gpu("7.0", "12.0"))

    ordinary = cover(release(variants, wheel, "pkg-1.0-py3-none-any.whl"), old).rows[0]
    nothing = cover(release(variants, wheel), old).rows[0]

    assert (ordinary.choice.ending, nothing.choice.ending) == (Ending.ORDINARY, Ending.NOTHING)
    assert ordinary.is_hole
    assert nothing.is_hole


def test_hole_names_the_property_that_decides() -> None:
    made = release({"cu13": properties("13.0", "75_real", "90_real"), NULL_LABEL: {}})
    found = problems(made, fleet(stated("P100", driver="535"), stated("H100", driver="550")))

    holes = [it.text for it in find(cover(made, fleet(stated("H100", driver="550"))))]
    assert "needs CUDA >= 13.0, this machine supports 12.4 (driver branch 550)" in holes[0]
    assert found[NO_BUILD].text.startswith("no build holds code for capability 6.0")


def test_machine_without_a_gpu_is_no_hole() -> None:
    made = release({"cu13": properties("13.0", "90_real"), NULL_LABEL: {}})

    assert set(problems(made, fleet(StatedMachine()))) == {UNUSED}


def test_ptx_that_wins_over_native_code_is_a_shadow() -> None:
    made = release(
        {
            "new": properties("13.0", "80_real", "80_virtual"),
            "old": properties("12.0", "90_real"),
        }
    )
    found = problems(made, fleet(gpu("9.0", "13.0")))
    fine = problems(made, fleet(gpu("8.0", "13.0")))

    assert found[SHADOW].labels == ("new", "old")
    assert SHADOW not in fine


def test_tie_is_found_only_where_labels_decide() -> None:
    same = release({"a": properties("12.0", "90_real"), "b": properties("12.0", "90_real")})
    apart = release({"a": properties("12.0", "90_real"), "b": properties("12.8", "90_real")})

    assert problems(same, fleet(gpu("9.0", "13.0")))[TIE].labels == ("a", "b")
    assert TIE not in problems(apart, fleet(gpu("9.0", "13.0")))


def test_build_that_serves_some_gpus_only() -> None:
    made = release({"cu": properties("12.0", "90_real")})

    assert "capability 12.0" in problems(made, fleet(gpu("9.0 12.0", "13.0")))[SOME_GPUS].text
    assert SOME_GPUS not in problems(made, fleet(gpu("9.0", "13.0")))


def test_real_release_has_the_holes_that_its_architectures_leave() -> None:
    """torch 2.14.1: Volta and Pascal need the build of 12.6, and Blackwell a driver for 13."""
    made = read_like_torch("2.14.1")
    machines = tally(map(target_entry, ("v100@580", "gb200@570", "h100@620", "gtx-1080-ti@535")))

    chosen = {row.kind.device: row.choice.label for row in cover(made, machines).rows}
    assert chosen == {
        "Tesla V100": "cuda12.6",
        "GB200 Grace Blackwell": NULL_LABEL,
        "H100": "cuda13.2",
        "GeForce GTX 1080 Ti": "cuda12.6",
    }


def read_like_torch(version: str) -> Release:
    from nvidia_variant_provider.tools.coverage import Release
    from nvidia_variant_provider.tools.demo.releases import RELEASES
    from nvidia_variant_provider.tools.wheels.name import WheelName

    names = [
        WheelName("torch", version, "", "py3", "none", build.platform, build.label)
        for build in RELEASES[version]
    ]
    names.append(WheelName("torch", version, "", "py3", "none", "any", NULL_LABEL))
    return Release("torch", version, "test", tuple(names), torch_release(version))


@pytest.mark.clients
@pytest.mark.parametrize("target", ["v100@580", "h100@550", "t4@535", "rtx-5090@580", "a100@470"])
def test_order_is_that_of_variantlib_asking_the_plugin(target: str, tmp_path: Path) -> None:
    record = target_entry(target)
    row = cover(read_from(tmp_path, torch_release("2.14.1").to_json()), tally([record])).rows[0]
    machine = tmp_path / "machine.json"
    machine.write_text(json.dumps(dump(row.kind.machine)))

    ordered = order_by_variantlib(
        tmp_path / "torch-2.14.1-variants.json", {"NV_VARIANT_PROVIDER_MACHINE": str(machine)}
    )

    assert list(row.order) == ordered
    assert len(ordered) > 1 or target == "a100@470"


def read_from(folder: Path, metadata: str) -> Release:
    path = folder / "torch-2.14.1-variants.json"
    path.write_text(metadata)
    return read_release(str(path))


@pytest.mark.clients
def test_one_lock_serves_machines_that_choose_differently(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    write_releases(wheels)
    made = read_release(str(wheels), "torch==2.14.1")
    machines = tally(map(target_entry, ("h100@580", "v100@580")))
    whole = cover(made, machines, 0)
    one, other = (cover(made, tally([target_entry(it)]), 0) for it in ("h100@580", "v100@580"))
    locks = {}
    for name, coverage in (("whole", whole), ("one", one), ("other", other)):
        locks[name] = tmp_path / f"{name}.txt"
        locks[name].write_text("\n".join(requirements([coverage])) + "\n")

    for row, own, others in ((one.rows[0], "one", "other"), (other.rows[0], "other", "one")):
        said = {
            "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": str(row.kind.cuda),
            "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": str(row.kind.known_capabilities[0]),
        }
        label = install_with_uv(wheels, ["torch==2.14.1"], said, python_platform=LINUX)
        assert label["torch"] == row.choice.label
        assert install_locked(wheels, locks["whole"], said) == 0
        assert install_locked(wheels, locks[own], said) == 0
        assert install_locked(wheels, locks[others], said) != 0


@pytest.mark.clients
def test_the_same_lock_serves_pip_through_a_view(tmp_path: Path) -> None:
    """A view shows each machine its variant under a plain name; the bytes are those of the lock."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    write_releases(wheels)
    made = read_release(str(wheels), "torch==2.14.1")
    coverage = cover(made, tally(map(target_entry, ("h100@580", "v100@580"))))
    lock = tmp_path / "torch.txt"
    lock.write_text("\n".join(requirements([coverage])) + "\n")

    installed = {}
    for row in coverage.rows:
        view = tmp_path / f"view-{row.kind.device}"
        view.mkdir()
        (wheel,) = chosen_wheels([cover(made, fleet_of(row))])
        plain = str(replace(wheel, label=""))
        (view / plain).write_bytes((wheels / str(wheel)).read_bytes())
        target = view / "target"
        command = [
            *(sys.executable, "-m", "pip", "install", "--no-index", "--find-links", str(view)),
            *("--require-hashes", "-r", str(lock), "--target", str(target), "--no-cache-dir"),
        ]
        subprocess.run(command, capture_output=True, check=True, timeout=90)
        installed[row.kind.device] = installed_label(target, "torch", "2.14.1")

    assert installed == {"H100": "cuda13.2", "Tesla V100": "cuda12.6"}


def fleet_of(row: Row) -> Fleet:
    return Fleet({row.kind: row.group})


def install_locked(wheels: Path, lock: Path, said: dict[str, str]) -> int:
    command = [
        *(uv_executable(), "pip", "install", "--preview-features", "wheel-variants"),
        *("--no-index", "--find-links", str(wheels), "--no-config"),
        *("--python", sys.executable, "--target", str(lock.parent / "target"), "--no-cache"),
        *("--require-hashes", "-r", str(lock), "--reinstall"),
        *("--python-platform", LINUX),
    ]
    done = subprocess.run(command, env=said, capture_output=True, check=False, timeout=90)
    return done.returncode


def test_lock_has_the_wheels_that_are_chosen_and_no_other(tmp_path: Path) -> None:
    write_releases(tmp_path)
    made = read_release(str(tmp_path), "torch==2.14.1")
    lines = list(requirements([cover(made, tally([target_entry("h100@580")]))]))

    assert [line.split()[2] for line in lines if line.startswith("#   ")] == [
        "torch-2.14.1-py3-none-manylinux_2_28_x86_64-cuda13.2.whl"
    ]
    assert lines[-1].startswith("torch==2.14.1 \\\n    --hash=sha256:")
    assert lines[-1].count("sha256:") == 1


def test_lock_needs_wheels() -> None:
    made = release({"cu": properties("12.0", "90_real")})

    with pytest.raises(InvalidValueError, match="hashes need the wheels"):
        list(requirements([cover(made, fleet(gpu("9.0", "13.0")))]))


@pytest.mark.parametrize(
    ("package", "named"),
    [
        pytest.param("tensor", "tensor", id="not there"),
        pytest.param("torch==9.9", "torch==9.9", id="other version"),
        pytest.param("torch>>2", "torch>>2", id="no requirement"),
    ],
)
def test_missing_release_is_an_error(package: str, named: str, tmp_path: Path) -> None:
    (tmp_path / "torch-2.14.1-variants.json").write_text(torch_release("2.14.1").to_json())

    with pytest.raises(InvalidValueError, match=named):
        read_release(str(tmp_path), package)


def test_newest_release_is_read_and_several_packages_need_a_name(tmp_path: Path) -> None:
    for version in ("2.9.1", "2.10.0"):
        name = f"torch-{version}-variants.json"
        (tmp_path / name).write_text(torch_release("2.10.0").to_json())

    assert read_release(str(tmp_path)).version == "2.10.0"

    (tmp_path / "vision-0.1-variants.json").write_text(torch_release("2.10.0").to_json())
    with pytest.raises(InvalidValueError, match="several packages"):
        read_release(str(tmp_path))


def test_uv_that_skips_the_provider_leaves_every_gpu_at_null() -> None:
    from nvidia_variant_provider.tools.coverage import Release
    from nvidia_variant_provider.tools.demo.wheels import release_metadata

    variants = {"cu": properties("12.0", "90_real"), NULL_LABEL: {}}
    metadata = release_metadata(variants)
    assert metadata.providers is not None
    strange = replace(metadata.providers["nvidia"], plugin_api="other:Plugin")
    skipped = replace(metadata, providers={"nvidia": strange})
    made = Release("pkg", "1.0", "test", None, skipped)
    machines = fleet(gpu("9.0", "13.0"))

    assert cover(made, machines, 1).holes == 0
    assert cover(made, machines, 0).holes == 1
    hole = next(it for it in find(cover(made, machines, 0)) if it.rule is HOLE)
    assert "uv skips the provider" in hole.text


def test_catalogue_covers_every_product() -> None:
    machines = tally(catalogue())

    assert {kind.device for kind, _ in machines} >= {"H100", "Tesla V100", "DGX Spark (GB10)"}
    assert all(kind.cuda is not None for kind, _ in machines)
