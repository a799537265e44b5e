from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from examples.torch.wheels import release_metadata
from nvidia_variant_provider.errors import FleetError, InvalidValueError, MetadataError
from nvidia_variant_provider.model import Gpu, Machine, Platform, Status
from nvidia_variant_provider.tools.coverage import (
    Defaults,
    Facts,
    Partition,
    Problem,
    Release,
    cover,
    files,
    find,
    read,
    read_release,
    split,
)
from nvidia_variant_provider.tools.coverage.devices import default_driver
from nvidia_variant_provider.tools.coverage.devices import find as find_device
from nvidia_variant_provider.tools.coverage.kinds import kind_of, parse_branch
from nvidia_variant_provider.tools.coverage.mirror import requirements
from nvidia_variant_provider.tools.coverage.page import render_page
from nvidia_variant_provider.tools.coverage.reasons import Reasons
from nvidia_variant_provider.tools.coverage.release import hash_of
from nvidia_variant_provider.tools.coverage.report import csv_rows
from nvidia_variant_provider.tools.inventory import smi, streams, table
from nvidia_variant_provider.tools.inventory.machine_files import facts_of
from nvidia_variant_provider.tools.metadata.model import Provider
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL
from tests.tools.coverage.samples import fleet, gpu, kind, properties, records, release, with_labels
from tests.tools.lint.releases import write_wheel

if TYPE_CHECKING:
    from pathlib import Path


def test_devices_that_no_driver_serves_together_have_no_default() -> None:
    b200, k = find_device("b200"), find_device("v100")
    assert b200 is not None
    assert k is not None

    assert default_driver([]) is None
    newest = find_device("vera-rubin")
    assert newest is not None
    assert default_driver([newest, k]) is None


def test_gpu_without_any_driver_says_so() -> None:
    unknown = kind_of(Facts(devices=("Frobnicator",)), Defaults())

    assert (unknown.cuda, unknown.machine.status) == (None, Status.GPU_NO_DRIVER)
    assert "none can be assumed" in unknown.reason


def test_jetson_has_a_cuda_version_and_no_branch() -> None:
    orin = kind_of(Facts(devices=("jetson-orin",), driver="540.4.0"), Defaults())

    assert (orin.driver, str(orin.cuda), orin.architecture) == (None, "12.6", "aarch64")
    with pytest.raises(InvalidValueError, match="branch such as '580'"):
        parse_branch("540.x")


def test_machine_that_cannot_use_its_gpu_is_a_gpu_without_driver() -> None:
    broken = Machine(Platform("linux", "x86_64"), Status.GPU_NO_DRIVER, "no driver is loaded")
    seen = Machine(Platform("linux", "x86_64"), Status.BLOCKED, gpus=(Gpu("H100"),))

    assert kind(facts_of(broken)).reason == "no driver is loaded"
    assert kind(facts_of(seen)).reason == "status blocked"
    assert kind(facts_of(seen)).device == "H100"


def test_driver_without_a_gpu_keeps_its_version() -> None:
    """Rule set 1 reports the bounds there, so a variant without device code is chosen."""
    made = release({"cu": {"nvidia": {"cuda_version_lower_bound": ("12.0",)}}, NULL_LABEL: {}})

    (row,) = cover(made, fleet(Facts(driver="580"))).rows
    assert (row.choice.label, row.is_hole) == ("cu", False)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        pytest.param(b'{"items": ["\xff', "UTF-8", id="JSON"),
        pytest.param(b'{"items": [' + b'"x" ' + b"3]}", "']' or ','", id="no comma"),
        pytest.param(b'{"items" 3}', "':'", id="no colon"),
        pytest.param(b'{"a": 1]', "'}' or ','", id="no brace"),
        pytest.param(b'{"items": ["' + b"x" * (9 << 20), "at most", id="endless value"),
    ],
)
def test_damaged_json(data: bytes, named: str) -> None:
    with pytest.raises(FleetError, match=named):
        list(streams.elements(io.BytesIO(data), "list", "items"))


def test_lines_in_another_encoding_are_refused() -> None:
    with pytest.raises(FleetError, match=r"line 2.*UTF-8"):
        list(streams.lines(io.BytesIO(b"a\n\xff\n"), "list"))


def test_smi_marks_of_no_machine_and_repeated_headers() -> None:
    text = "name, compute_cap\nTesla T4, 7.5\n\nname, compute_cap\nTesla T4, 7.5\n"
    (found,) = records(smi.read, text)
    (empty,) = records(smi.read, "No devices were found\n")

    assert found.facts.devices == ("Tesla T4",)
    assert empty.facts == Facts()
    with pytest.raises(FleetError, match="comma-separated"):
        records(smi.read, 'name, compute_cap\n"T4\r", 7.5\rx\n')


def test_table_of_remarks_only_is_empty() -> None:
    assert records(table.read, "# nothing\n\n") == []
    assert list(table.read(io.BytesIO(b"# nothing\n"), "list", 3)) == []


def test_parts_of_other_formats_are_whole_files(tmp_path: Path) -> None:
    part = Partition("nodes.json", "kubernetes")
    assert list(split(part, 5)) == [part]

    (tmp_path / "notes.md").write_text("no list")
    with pytest.raises(FleetError, match="no file"):
        list(files(str(tmp_path), "slurm"))


def test_standard_input_is_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"target\nt4@535\n")))

    (found,) = read(Partition("-", "csv"))
    assert (found.source, found.where) == ("standard input", "line 2")


def test_reasons_for_choices_without_a_rival() -> None:
    made = release({"cu": properties("12.0", "90_real")})
    matrix = cover(made, fleet(gpu("9.0", "13.0"), Facts()))
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
    (row,) = cover(Release("pkg", "1", metadata), fleet(gpu("9.0", "13.0"))).rows
    hole = next(
        found
        for found in find(cover(Release("pkg", "1", metadata), fleet(gpu("9.0", "13.0"))))
        if found.problem is Problem.HOLE
    )
    assert row.is_hole
    assert "other :: kind" in hole.text


@pytest.mark.parametrize(("optional", "label"), [(True, NULL_LABEL), (False, "mkl")])
def test_optional_fixed_values_are_offered_to_nobody(label: str, *, optional: bool) -> None:
    static = Provider(static_properties={"library": ("mkl",)}, optional=optional)
    metadata = release_metadata(
        {"mkl": {"blas": {"library": ("mkl",)}}, NULL_LABEL: {}}, static={"blas": static}
    )

    (row,) = cover(Release("pkg", "1", metadata), fleet(gpu("9.0", "13.0"))).rows
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
    gone = Release(made.name, made.version, made.metadata, made.wheels, str(tmp_path))
    assert gone.wheels is not None

    with pytest.raises(MetadataError, match=r"pkg-1\.0-py3-none-any-cu\.whl"):
        hash_of(gone, gone.wheels[0])
    with pytest.raises(InvalidValueError, match="no machine of the fleet"):
        list(requirements([cover(with_labels(gone, []), fleet(gpu("9.0", "13.0")))], "command"))


def test_release_without_metadata_is_an_error(tmp_path: Path) -> None:
    write_wheel(tmp_path / "pkg-1.0-py3-none-any.whl", None)

    with pytest.raises(MetadataError, match="variants of pkg"):
        read_release(str(tmp_path))
