from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.model import Gpu, Machine, Platform, Status
from nvidia_variant_provider.tools.coverage import (
    Defaults,
    Release,
    StatedMachine,
    cover,
    find,
    read_release,
)
from nvidia_variant_provider.tools.coverage.findings import HOLE
from nvidia_variant_provider.tools.coverage.kinds import kind_of
from nvidia_variant_provider.tools.coverage.mirror import requirements
from nvidia_variant_provider.tools.coverage.page import render_page
from nvidia_variant_provider.tools.coverage.reasons import Reasons
from nvidia_variant_provider.tools.coverage.release import hash_of
from nvidia_variant_provider.tools.coverage.report import csv_rows
from nvidia_variant_provider.tools.demo.wheels import release_metadata
from nvidia_variant_provider.tools.inventory.machine_files import stated as stated_of
from nvidia_variant_provider.tools.inventory.resolve import parse_branch
from nvidia_variant_provider.tools.metadata.model import Provider
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL
from tests.tools.coverage.samples import fleet, gpu, kind, properties, release, stated, with_labels
from tests.tools.lint.releases import write_wheel

if TYPE_CHECKING:
    from pathlib import Path


def test_devices_that_no_driver_serves_together_have_no_default() -> None:
    odd = kind_of(stated("vera-rubin", "v100"), Defaults())

    assert odd.cuda is None
    assert "no driver branch serves all" in odd.reason


def test_unknown_name_is_the_reason_and_not_the_driver() -> None:
    unknown = kind_of(stated("Frobnicator"), Defaults())

    assert (unknown.driver, str(unknown.cuda), unknown.capabilities) == (580, "13.0", (None,))
    assert "no GPU is known by the name Frobnicator" in unknown.unknown


def test_jetson_has_a_cuda_version_and_no_branch() -> None:
    orin = kind_of(stated("jetson-orin", driver="540.4.0"), Defaults())

    assert (orin.driver, str(orin.cuda), orin.architecture) == (None, "12.6", "aarch64")
    with pytest.raises(InvalidValueError, match="branch such as '580'"):
        parse_branch("540.x")


def test_machine_that_cannot_use_its_gpu_is_a_gpu_without_driver() -> None:
    broken = Machine(Platform("linux", "x86_64"), Status.GPU_NO_DRIVER, "no driver is loaded")
    seen = Machine(Platform("linux", "x86_64"), Status.BLOCKED, gpus=(Gpu("H100"),))

    assert kind(stated_of(broken)).reason == "no driver is loaded"
    assert kind(stated_of(seen)).reason == "status blocked"
    assert kind(stated_of(seen)).device == "H100"


def test_driver_without_a_gpu_keeps_its_version() -> None:
    """Rule set 1 reports the bounds there, so a variant without device code is chosen."""
    made = release({"cu": {"nvidia": {"cuda_version_lower_bound": ("12.0",)}}, NULL_LABEL: {}})

    (row,) = cover(made, fleet(stated(driver="580"))).rows
    assert (row.choice.label, row.is_hole) == ("cu", False)


def test_reasons_for_choices_without_a_rival() -> None:
    made = release({"cu": properties("12.0", "90_real")})
    matrix = cover(made, fleet(gpu("9.0", "13.0"), StatedMachine()))
    reasons = Reasons(matrix)

    first, cpu = matrix.rows
    assert "only variant" in reasons.choice(first)
    assert reasons.choice(cpu) == "no variant has a wheel for this platform"
    assert [row[8:10] for row in csv_rows(matrix)] == [("cu", "1"), ("cu", ""), ("", "1")]


def test_reason_of_a_tie_and_of_another_namespace() -> None:
    same = {"a": properties("12.0", "90_real"), "b": properties("12.0", "90_real")}
    tied = cover(release(same), fleet(gpu("9.0", "13.0")))
    assert "by its label alone" in Reasons(tied).choice(tied.rows[0])

    metadata = release_metadata(
        {"x": {**properties("12.0", "90_real"), "other": {"kind": ("1",)}}, NULL_LABEL: {}},
        static={"other": Provider(static_properties={"kind": ("2",)})},
    )
    (row,) = cover(Release("pkg", "1", "test", None, metadata), fleet(gpu("9.0", "13.0"))).rows
    hole = next(
        found
        for found in find(
            cover(Release("pkg", "1", "test", None, metadata), fleet(gpu("9.0", "13.0")))
        )
        if found.rule is HOLE
    )
    assert row.is_hole
    assert "other :: kind" in hole.text


@pytest.mark.parametrize(("optional", "label"), [(True, NULL_LABEL), (False, "mkl")])
def test_optional_fixed_values_are_offered_to_nobody(label: str, *, optional: bool) -> None:
    static = Provider(static_properties={"library": ("mkl",)}, optional=optional)
    metadata = release_metadata(
        {"mkl": {"blas": {"library": ("mkl",)}}, NULL_LABEL: {}}, static={"blas": static}
    )

    (row,) = cover(Release("pkg", "1", "test", None, metadata), fleet(gpu("9.0", "13.0"))).rows
    assert row.choice.label == label


def test_value_that_is_no_architecture_is_shown_as_it_is() -> None:
    made = release({"cu": properties("12.0", "banana", "90_virtual"), NULL_LABEL: {}})
    (row,) = cover(made, fleet(gpu("7.0", "12.8"))).rows

    refused = Reasons(cover(made, fleet(gpu("7.0", "12.8")))).refusal(row.kind, "cu")
    assert refused == "sm_arch: has PTX 90 and banana, this GPU is 7.0"


def test_page_of_a_large_release_cuts_its_lists() -> None:
    many = {f"v{number:02}": properties("12.0", f"{number}_real") for number in range(50, 70)}
    odd = {f"w{number:02}": properties(f"13.{number}", "50_real") for number in range(15)}
    page = render_page(cover(release(many | odd), fleet(gpu("9.0", "12.0"))), (), ("", "v50"))

    assert "more reasons: see --csv" in page
    assert "None was found." in page
    assert "ordinary wheel" in page


def test_wheel_that_vanished_is_named(tmp_path: Path) -> None:
    made = release({"cu": properties("12.0", "90_real")}, "pkg-1.0-py3-none-any-cu.whl")
    gone = replace(made, origin=str(tmp_path))
    assert gone.wheels is not None

    with pytest.raises(MetadataError, match=r"pkg-1\.0-py3-none-any-cu\.whl"):
        hash_of(gone, gone.wheels[0])
    with pytest.raises(InvalidValueError, match="no machine of the fleet"):
        list(requirements([cover(with_labels(gone, []), fleet(gpu("9.0", "13.0")))], "command"))


def test_release_without_metadata_is_an_error(tmp_path: Path) -> None:
    write_wheel(tmp_path / "pkg-1.0-py3-none-any.whl", None)

    with pytest.raises(MetadataError, match="variants of pkg"):
        read_release(str(tmp_path))
