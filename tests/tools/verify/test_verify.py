"""Every code: a wheel that has the fault, and the same wheel without it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import SmArch
from nvidia_variant_provider.tools.findings.selection import EVERYTHING, Selection
from nvidia_variant_provider.tools.tagging.variant import build_variant
from nvidia_variant_provider.tools.tagging.wheels import write_variant
from nvidia_variant_provider.tools.verify.engine import RULES, verify_release, verify_wheel
from nvidia_variant_provider.tools.verify.wheel import examine_wheel
from tests.tools.binaries import packing
from tests.wheel_maker import DIST_INFO, METADATA, cuda_library, make_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.tools.verify.wheel import ExaminedWheel

DOCS = Path(__file__).resolve().parents[3] / "docs" / "verify.md"


def variant(
    folder: Path,
    members: Mapping[str, bytes],
    archs: str,
    bound: str = "12.0",
    label: str = "cuda12.4",
    threshold: float = 0.75,
) -> ExaminedWheel:
    """Write a variant wheel with these members that states these things, and read it."""
    features = {"sm_arch": tuple(archs.split())} if archs else {}
    if bound:
        features["cuda_version_lower_bound"] = (bound,)
    wheel = make_wheel(folder, members)
    path, _ = write_variant(wheel, folder, build_variant(label, features), force=True)
    return examine_wheel(str(path), threshold)


def codes(wheel: ExaminedWheel) -> set[str]:
    return {finding.rule.code for finding in verify_wheel(wheel, EVERYTHING)}


def libraries(*targets: str) -> dict[str, bytes]:
    """One library with one container for each set of targets, such as ``80 90a 90p``."""
    return {f"demo/{at}.so": cuda_library(*one.split()) for at, one in enumerate(targets)}


def with_metadata(line: str) -> bytes:
    return METADATA + line.encode() + b"\n"


COPY = "demo.libs/libnvjpeg.4a0b5c81.so.12"
RODATA = ".rodata"


def for_cuda(line: str) -> dict[str, bytes]:
    """A pure Python wheel with one more line of METADATA."""
    return {"demo/a.py": b"1", f"{DIST_INFO}/METADATA": with_metadata(line)}


@pytest.mark.parametrize(
    ("members", "archs", "expected"),
    [
        pytest.param(libraries("80 90a"), "80_real 90_real", set(), id="true"),
        pytest.param(libraries("80"), "80_real 90_real", {"NV301"}, id="NV301"),
        pytest.param(libraries("80", "80", "80 90"), "80_real 90_real", {"NV302"}, id="NV302"),
        pytest.param(libraries("80"), "80_real 86_real", {"NV303"}, id="NV303"),
        pytest.param(libraries("80", "80", "80 86"), "80_real 86_real", {"NV303"}, id="NV303-few"),
        pytest.param(libraries("80 100a"), "80_real 100_real", {"NV304"}, id="NV304"),
        pytest.param(libraries("80 100a"), "80_real 100a_real", set(), id="specific-value"),
        pytest.param(libraries("80 100f"), "80_real 100_real", set(), id="family"),
        pytest.param(libraries("80 80p", "80", "80"), "80_real 80_virtual", {"NV305"}, id="NV305"),
        pytest.param(libraries("90 90ap"), "90_real 90_virtual", {"NV305"}, id="NV305-specific"),
        pytest.param(libraries("80 75p"), "80_real 75_virtual", {"NV320"}, id="ptx-needs-12.4"),
        pytest.param(libraries("80 90"), "80_real", {"NV306"}, id="NV306"),
        pytest.param(libraries("80 89", "80", "80", "80"), "80_real", set(), id="few-unclaimed"),
        pytest.param({}, "80_real", {"NV330"}, id="NV330"),
        pytest.param({"demo/py.py": b"1"}, "", set(), id="states-a-bound-alone"),
        pytest.param(
            libraries("80") | {COPY: cuda_library("80", "89")}, "80_real", {"NV310"}, id="NV310"
        ),
        pytest.param(
            libraries("80") | {"demo/tests/x.so": cuda_library("80", "89")},
            "80_real",
            set(),
            id="a-fixture-of-tests-is-no-copy",
        ),
        pytest.param({COPY: cuda_library("80")}, "80_real", {"NV330"}, id="copies-alone"),
        pytest.param(
            libraries("80") | {COPY: cuda_library("80", "90")},
            "80_real 90_real",
            {"NV301", "NV310"},
            id="only-a-copy-has-it",
        ),
        pytest.param({COPY: cuda_library("80")}, "", set(), id="only-a-copy-has-code"),
        pytest.param(
            {"demo/a.so": packing.shared_object(packing.cubin(90), name=RODATA)},
            "90_real",
            {"NV331"},
            id="NV331",
        ),
    ],
)
def test_architectures_against_code(
    tmp_path: Path, members: dict[str, bytes], archs: str, expected: set[str]
) -> None:
    assert codes(variant(tmp_path, members, archs)) == expected


def messages(wheel: ExaminedWheel, code: str) -> list[str]:
    found = verify_wheel(wheel, EVERYTHING)
    return [it.problem.message for it in found if it.rule.code == code]


def test_a_copy_with_code_for_the_gpu_is_named_and_no_other(tmp_path: Path) -> None:
    copies = {
        COPY: cuda_library("80", "90"),
        "demo.libs/libcudart.1a2b3c4d.so.12": cuda_library("75"),
    }
    wheel = variant(tmp_path, libraries("80") | copies, "80_real 90_real")

    assert messages(wheel, "NV301") == [f"no cubin runs on 9.0; only the copied {COPY} has code"]


def test_without_a_copy_that_has_code_none_is_named(tmp_path: Path) -> None:
    alone = variant(tmp_path, libraries("80"), "80_real 90_real")
    other = variant(tmp_path, libraries("80") | {COPY: cuda_library("80", "75")}, "80_real 90_real")

    assert messages(alone, "NV301") == messages(other, "NV301") == ["no cubin runs on 9.0"]


def test_single_cubins_are_listed_and_what_they_lack(tmp_path: Path) -> None:
    members = {"demo/a.so": packing.shared_object(packing.cubin(90), name=RODATA)}

    lacking = variant(tmp_path, members, "80_real 90_real")
    enough = variant(tmp_path, members, "90_real")

    assert messages(lacking, "NV331") == ["single cubins for 9.0; none for 80_real"]
    assert messages(enough, "NV331") == ["single cubins for 9.0"]


@pytest.mark.parametrize(
    ("targets", "archs", "bound", "expected"),
    [
        pytest.param("80", "80_real", "12.0", set(), id="cubins-major"),
        pytest.param("80", "80_real", "11.8", {"NV320"}, id="NV320"),
        pytest.param("80", "80_real", "12.4", {"NV321"}, id="NV321"),
        pytest.param("80", "80_real", "", {"NV322"}, id="NV322"),
        pytest.param("80 80p", "80_real 80_virtual", "12.0", {"NV320"}, id="ptx-below"),
        pytest.param("80 80p", "80_real 80_virtual", "12.4", set(), id="ptx"),
        pytest.param("80 80p", "80_real 80_virtual", "12.5", {"NV321"}, id="ptx-above"),
        pytest.param("80 80p", "80_real", "12.0", {"NV307"}, id="ptx-not-stated"),
    ],
)
def test_bounds_against_code(
    tmp_path: Path, targets: str, archs: str, bound: str, expected: set[str]
) -> None:
    assert codes(variant(tmp_path, libraries(targets), archs, bound)) == expected


def test_a_null_variant_with_code_is_reported(tmp_path: Path) -> None:
    assert codes(variant(tmp_path, libraries("80"), "", "", "null")) == {"NV332"}
    assert codes(variant(tmp_path, {}, "", "", "null")) == set()


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (for_cuda("Requires-Dist: nvidia-cublas-cu12"), {"NV333"}),
        (for_cuda("Requires-Dist: nvidia-cublas-cu12; extra == 'gpu'"), set()),
        (for_cuda("Requires-Dist: taichi"), set()),
        ({"demo/a.so": packing.shared_object(b"", needed=("libcudart.so.12",))}, {"NV333"}),
        ({"demo/a.so": packing.shared_object(b"x\0libcuda.so.1\0")}, set()),
        (
            {**for_cuda("Requires-Dist: nvidia-cublas-cu12"), "demo/a.ptx": packing.ptx(80)},
            {"NV332"},
        ),
    ],
)
def test_a_null_variant_that_is_of_no_use_without_cuda_is_reported(
    tmp_path: Path, members: dict[str, bytes], expected: set[str]
) -> None:
    assert codes(variant(tmp_path, members, "", "", "null")) == expected


def test_the_first_thing_that_a_null_variant_cannot_do_without_is_named(tmp_path: Path) -> None:
    linked = packing.shared_object(b"", needed=("libcudart.so.12",))
    members = {**for_cuda("Requires-Dist: nvidia-cublas-cu12"), "demo/a.so": linked}

    assert messages(variant(tmp_path, members, "", "", "null"), "NV333") == [
        "states nothing, though it is no CPU wheel: requires nvidia-cublas-cu12"
    ]


def test_architectures_of_code_that_is_made_at_run_time_are_refused_with_the_reason(
    tmp_path: Path,
) -> None:
    wheel = variant(tmp_path, for_cuda("Requires-Dist: cuda-bindings==12.*"), "80_real")

    assert messages(wheel, "NV330") == [
        "1 value, and no device code of its own: requires cuda-bindings; state a bound alone"
    ]


def test_architectures_without_code_are_counted(tmp_path: Path) -> None:
    wheel = variant(tmp_path, {"demo/py.py": b"1"}, "80_real 90_real")

    assert messages(wheel, "NV330") == ["2 values, and no device code of its own"]


def test_libraries_for_several_cuda_majors_are_reported(tmp_path: Path) -> None:
    other = packing.shared_object(
        packing.container(packing.real(80)), needed=("libcudart.so.11.0",)
    )

    wheel = variant(tmp_path, libraries("80") | {"demo/b.so": other}, "80_real", "11.0", "x")

    assert codes(wheel) == {"NV311"}


def for_several(**targets: str) -> dict[str, bytes]:
    """Five containers for each CUDA, such as ``cuda118="80 90"``, in a library named after it."""
    return {
        f"demo/lib_{name}.so": cuda_library(
            *archs.split(), containers=5, needed=f"libcudart.so.{name[4:6]}"
        )
        for name, archs in targets.items()
    }


@pytest.mark.parametrize(
    ("archs", "expected"),
    [
        # Over all, 9.0 is served by 15 of 20 containers, 6.0 and 12.0 by 5.
        pytest.param("60_real 80_real 90_real 120_real", {"NV311", "NV312"}, id="true"),
        pytest.param("60_real 80_real 90_real", {"NV306", "NV311", "NV312"}, id="one-not-claimed"),
        pytest.param(
            "60_real 80_real 90_real 100_real 120_real",
            {"NV301", "NV311", "NV312"},
            id="in-no-group",
        ),
    ],
)
def test_libraries_for_several_cudas_are_judged_one_by_one(
    tmp_path: Path, archs: str, expected: set[str]
) -> None:
    members = for_several(
        cuda118="60 80", cuda124="80 90", cuda128="80 90 120", cuda130="80 90 120"
    )

    wheel = variant(tmp_path, members, archs, "11.0", "x")

    assert codes(wheel) == expected
    assert [one.group.name for one in wheel.groups] == [
        *("CUDA 11.8", "CUDA 12.4", "CUDA 12.8", "CUDA 13.0")
    ]


def test_the_best_group_is_that_with_the_largest_share(tmp_path: Path) -> None:
    members = {
        "demo/a_cuda118.so": cuda_library("80"),
        "demo/b_cuda118.so": cuda_library("80"),
        "demo/a_cuda128.so": cuda_library("80", containers=5),
        "demo/b_cuda128.so": cuda_library("90", containers=5),
    }

    wheel = variant(tmp_path, members, "80_real")

    assert wheel.best(SmArch.parse("80_real")).group.name == "CUDA 11.8"


def test_a_group_without_containers_is_never_the_best(tmp_path: Path) -> None:
    members = {
        "demo/a_cuda118.so": packing.shared_object(b"no container"),
        "demo/a_cuda128.so": cuda_library("80"),
    }

    wheel = variant(tmp_path, members, "80_real")

    assert [code.total for code in wheel.groups] == [0, 1]
    assert wheel.best(SmArch.parse("80_real")).group.name == "CUDA 12.8"


def test_a_few_containers_of_the_libraries_for_one_cuda_do_not_bear_out_a_claim(
    tmp_path: Path,
) -> None:
    few = {
        "demo/more_cuda124.so": cuda_library("80", "90"),
        "demo/more_cuda128.so": cuda_library("80", "90", "120"),
    }
    members = for_several(cuda124="80 90", cuda128="80 90") | few

    wheel = variant(tmp_path, members, "80_real 90_real 120_real")

    found = {one.rule.code: one.problem.message for one in verify_wheel(wheel, EVERYTHING)}
    assert found == {"NV302": "1 of 6 containers (17 %) of the libraries for CUDA 12.8 run on 12.0"}


@pytest.mark.parametrize(
    ("few", "many", "archs", "code", "words"),
    [
        pytest.param(
            "86", "80", "80_real 86_real", "NV303", "{} have code for just 8.6", id="NV303"
        ),
        pytest.param("100", "100a", "100_real", "NV304", "promises 10.3: {} run there", id="NV304"),
    ],
)
def test_of_the_libraries_for_several_cudas_the_first_are_told_of(
    tmp_path: Path, few: str, many: str, archs: str, code: str, words: str
) -> None:
    members = {
        "demo/a_cuda128.so": cuda_library(few),
        "demo/b_cuda128.so": cuda_library(many, containers=3),
        "demo/a_cuda130.so": cuda_library(many, containers=5),
    }

    wheel = variant(tmp_path, members, archs)

    share = "1 of 4 containers (25 %) of the libraries for CUDA 12.8"
    assert messages(wheel, code)[0] == words.format(share)


def test_the_bound_is_that_of_the_least_demanding_libraries(tmp_path: Path) -> None:
    # The newer libraries rely on PTX of CUDA 12.4 and 13.0, those for CUDA 11 on none.
    members = for_several(cuda118="80", cuda124="80 80p", cuda130="80 80p")

    low, right = (variant(tmp_path, members, "80_real", bound, "x") for bound in ("11.0", "12.0"))

    assert "NV320" not in codes(low)
    assert "NV321" not in codes(low)
    assert "NV321" in codes(right)


def test_libraries_that_name_no_cuda_belong_to_every_group(tmp_path: Path) -> None:
    members = for_several(cu118="80 90", cu128="80 90") | {"demo/core.so": cuda_library("80")}

    wheel = variant(tmp_path, members, "80_real 90_real", "11.0", "x")

    assert [one.total for one in wheel.groups] == [6, 6]
    # The library without 9.0 is told once, though it is in both groups.
    assert codes(wheel) == {"NV311", "NV313"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Requires-Dist: nvidia-cublas-cu12", set()),
        ("Requires-Dist: nvidia-cublas-cu11", {"NV340"}),
        ("Requires-Dist: nvidia-cuda-runtime==13.0.1", {"NV340"}),
        ("Requires-Dist: nvidia-cublas-cu11; extra == 'old'", set()),
        ("Requires-Dist: nvidia-cuda-runtime", set()),
    ],
)
def test_requirements_are_for_the_same_cuda(tmp_path: Path, line: str, expected: set[str]) -> None:
    metadata = {f"{DIST_INFO}/METADATA": with_metadata(line)}
    # Without a link to CUDA the wheel is for that of its cubins.
    unlinked = {"demo/a.so": cuda_library("80", needed="libc.so.6")}

    assert codes(variant(tmp_path, libraries("80") | metadata, "80_real")) == expected
    assert codes(variant(tmp_path, unlinked | metadata, "80_real", "12.4")) == {"NV321", *expected}


@pytest.mark.parametrize(
    ("archs", "containers", "expected"),
    [
        pytest.param(("90",), 1, {"NV313"}, id="one-architecture-alone"),
        pytest.param(("86", "90"), 1, {"NV306", "NV313"}, id="all-but-one"),
        pytest.param(("90", "80p"), 1, set(), id="ptx-serves-it"),
        pytest.param(("90a", "100f"), 1, {"NV314"}, id="meant-for-its-generation"),
        pytest.param(("90",), 2, {"NV313"}, id="a-tenth-of-the-containers"),
        pytest.param(("90",), 0, set(), id="without-kernels"),
    ],
)
def test_a_library_that_lacks_what_the_others_have(
    tmp_path: Path, archs: tuple[str, ...], containers: int, expected: set[str]
) -> None:
    members = {
        "demo/main.so": cuda_library("80", "90", containers=8),
        "demo/side.so": cuda_library(*archs, containers=containers),
    }

    wheel = variant(tmp_path, members, "80_real 90_real")

    assert codes(wheel) - {"NV307"} == expected


def test_a_small_library_does_not_decide_for_the_wheel(tmp_path: Path) -> None:
    members = {
        "demo/main.so": cuda_library("80", "90", containers=20),
        "demo/side.so": cuda_library("90"),
    }

    assert codes(variant(tmp_path, members, "80_real 90_real")) == {"NV314"}


LABELS: dict[str, set[str]] = {
    "cuda12.4": set(),
    "cu124": set(),
    "cu12": set(),
    "anything": set(),
    "cuda12.6": {"NV350"},
    "cuda13.0": {"NV350"},
    "cu118": {"NV350"},
}


@pytest.mark.parametrize(("label", "expected"), LABELS.items())
def test_labels_name_the_cuda_of_the_code(tmp_path: Path, label: str, expected: set[str]) -> None:
    assert codes(variant(tmp_path, libraries("80"), "80_real", label=label)) == expected


def test_what_was_not_read_is_not_verified(tmp_path: Path) -> None:
    members = libraries("80") | {"demo/inner.zip": b"PK\x03\x04"}

    assert codes(variant(tmp_path, members, "80_real")) == {"NV361"}


def test_a_container_that_is_cut_short_is_not_verified(tmp_path: Path) -> None:
    cut = packing.container(packing.real(80), size=1 << 20)
    members = libraries("80") | {"demo/cut.so": packing.shared_object(cut)}

    assert "NV360" in codes(variant(tmp_path, members, "80_real"))


def test_values_of_no_provider_are_left_to_lint(tmp_path: Path) -> None:
    wheel = variant(tmp_path, libraries("80"), "weird_real", "odd")

    assert codes(wheel) == {"NV322"}


def test_ptx_of_a_family_bears_out_its_own_value(tmp_path: Path) -> None:
    wheel = variant(tmp_path, libraries("100f 100fp"), "100_real 100f_virtual", "12.4")

    assert codes(wheel) == set()


def test_shares_are_shown_and_the_threshold_decides(tmp_path: Path) -> None:
    members = libraries("80", "80", "80 90", "80 90")

    strict = variant(tmp_path, members, "80_real 90_real")
    lenient = variant(tmp_path, members, "80_real 90_real", threshold=0.5)

    (finding,) = verify_wheel(strict, EVERYTHING)
    assert finding.problem.message == "2 of 4 containers (50 %) run on 9.0"
    assert codes(lenient) == {"NV314"}


def release(folder: Path, first: str, second: str, label: str = "cuda12.4") -> list[ExaminedWheel]:
    """Read two wheels of one release for two platforms."""
    found = []
    for platform, archs in (("linux_x86_64", first), ("linux_aarch64", second)):
        metadata = build_variant(label, {"sm_arch": tuple(archs.split())})
        name = f"demo-1.0-py3-none-{platform}.whl"
        wheel = make_wheel(folder, libraries("80 90"), name=name)
        found.append(examine_wheel(str(write_variant(wheel, folder, metadata)[0]), 0.75))
    return found


def test_one_label_means_one_thing(tmp_path: Path) -> None:
    (finding,) = verify_release(release(tmp_path, "80_real", "80_real 90_real"), EVERYTHING)

    assert (finding.rule.code, finding.problem.key) == ("NV370", "cuda12.4")
    assert finding.problem.source.endswith("aarch64-cuda12.4.whl")
    assert finding.problem.message == (
        "states nvidia::sm_arch::90_real; demo-1.0-py3-none-linux_x86_64-cuda12.4.whl differs"
    )


def test_equal_wheels_of_a_release_do_not_contradict(tmp_path: Path) -> None:
    assert list(verify_release(release(tmp_path, "80_real", "80_real"), EVERYTHING)) == []


def test_one_namespace_has_one_provider(tmp_path: Path) -> None:
    wheels = []
    for label, requirement in (("a", ">=0.0.1,<1.0.0"), ("b", ">=0.0.2,<1.0.0")):
        metadata = build_variant(label, {"sm_arch": ("80_real",)})
        provider = {
            "requires": [f"nvidia-variant-provider{requirement}"],
            "plugin-api": "nvidia_variant_provider.plugin:NvidiaVariantPlugin",
        }
        changed = replace(metadata, providers={"nvidia": provider})
        path, _ = write_variant(make_wheel(tmp_path, libraries("80")), tmp_path, changed)
        wheels.append(examine_wheel(str(path), 0.75))

    assert [one.rule.code for one in verify_release(wheels, EVERYTHING)] == ["NV371"]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        pytest.param(EVERYTHING, ["NV301", "NV321"], id="all"),
        pytest.param(Selection(("NV30",)), ["NV301"], id="selected"),
        pytest.param(Selection(("NV301",), ("NV30",)), ["NV301"], id="the longer one wins"),
        pytest.param(Selection(("NV3",), ("NV301", "NV321")), [], id="ignored"),
        pytest.param(Selection(per_file=(("demo-*", ("NV32",)),)), ["NV301"], id="per file"),
    ],
)
def test_codes_are_selected(tmp_path: Path, selection: Selection, expected: list[str]) -> None:
    wheel = variant(tmp_path, libraries("80"), "80_real 90_real", "12.4")

    assert [finding.rule.code for finding in verify_wheel(wheel, selection)] == expected


def test_codes_are_unique_and_documented() -> None:
    text = DOCS.read_text("utf-8")
    sections = dict(re.findall(r"^### (NV3\d\d) (.+)$", text, re.MULTILINE))

    assert len({rule.code for rule in RULES}) == len(RULES)
    assert sections == {rule.code: f"{rule.title} ({rule.severity.value})" for rule in RULES}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("demo-1.0-py3-none-any.whl", "no variant label"),
        ("demo-1.0-py3-none-any-x.whl", r"has no .*variant\.json"),
        ("absent-1.0-py3-none-any-x.whl", "No such file"),
    ],
)
def test_wheels_that_are_no_variants_are_refused(tmp_path: Path, name: str, message: str) -> None:
    if name.startswith("demo"):
        make_wheel(tmp_path, name=name)

    with pytest.raises(InvalidValueError, match=message):
        examine_wheel(str(tmp_path / name), 0.75)


def test_metadata_of_another_label_is_refused(tmp_path: Path) -> None:
    metadata = build_variant("one", {"sm_arch": ("80_real",)})
    path, _ = write_variant(make_wheel(tmp_path), tmp_path, metadata)
    renamed = path.rename(tmp_path / "demo-1.0-py3-none-any-two.whl")

    with pytest.raises(InvalidValueError, match="seen one, expected only two"):
        examine_wheel(str(renamed), 0.75)
