from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvidia_variant_provider.errors import FleetError
from nvidia_variant_provider.tools.coverage import Facts, Partition, files, read, split, tally
from nvidia_variant_provider.tools.coverage.kinds import NO_GPU
from nvidia_variant_provider.tools.inventory import (
    kubernetes,
    machine_files,
    slurm,
    smi,
    streams,
    table,
)
from tests.tools.coverage.samples import kind, records

if TYPE_CHECKING:
    from pathlib import Path


def node(name: str, labels: dict[str, str], **status: object) -> dict[str, object]:
    return {"metadata": {"name": name, "labels": labels}, "status": status}


H100_LABELS = {
    "kubernetes.io/arch": "amd64",
    "kubernetes.io/os": "linux",
    "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
    "nvidia.com/gpu.compute.major": "9",
    "nvidia.com/gpu.compute.minor": "0",
    "nvidia.com/cuda.driver-version.full": "550.120",
    "nvidia.com/cuda.runtime-version.full": "12.4",
}


def test_kubernetes_labels_of_gpu_feature_discovery() -> None:
    (found,) = records(kubernetes.read, json.dumps({"items": [node("n1", H100_LABELS)]}))

    assert found.facts == Facts(
        devices=("NVIDIA-H100-80GB-HBM3",),
        capabilities=("9.0",),
        driver="550.120",
        cuda="12.4",
        architecture="amd64",
        system="linux",
    )
    assert (found.name, found.where) == ("n1", "items[0]")


def test_kubernetes_labels_of_older_releases() -> None:
    labels = {
        "nvidia.com/gpu.compute.major": "8",
        "nvidia.com/gpu.compute.minor": "6",
        "nvidia.com/cuda.driver.major": "470",
        "nvidia.com/cuda.driver.minor": "103",
        "nvidia.com/cuda.driver.rev": "01",
        "nvidia.com/cuda.runtime.major": "11",
        "nvidia.com/cuda.runtime.minor": "4",
    }
    (found,) = records(kubernetes.read, json.dumps({"items": [node("n", labels)]}))

    assert (found.facts.driver, found.facts.cuda) == ("470.103.01", "11.4")
    assert found.facts.capabilities == ("8.6",)


def test_kubernetes_node_with_a_gpu_on_pci_and_no_driver_is_no_cpu_node() -> None:
    labels = {"feature.node.kubernetes.io/pci-0302_10de.present": "true"}
    cpu, bare = records(
        kubernetes.read, json.dumps({"items": [node("cpu", {}), node("gpu", labels)]})
    )

    assert kind(cpu.facts).device == NO_GPU
    assert kind(bare.facts).has_gpu
    assert kind(bare.facts).cuda is None
    assert "labelled no driver" in kind(bare.facts).reason


@pytest.mark.parametrize(
    ("gres", "devices", "untyped"),
    [
        pytest.param("gpu:h100:8(S:0-1)", ("h100",), False, id="sockets"),
        pytest.param("gpu:a100:4(S:0,2),gpu:t4:2,nic:1", ("a100", "t4"), False, id="two types"),
        pytest.param("gpu:8", (), True, id="untyped"),
        pytest.param("gpu", (), True, id="bare"),
        pytest.param("gpu:nvidia_a100_1g.5gb:7", ("nvidia_a100_1g.5gb",), False, id="MIG"),
        pytest.param("gpu:t4:0", (), False, id="none left"),
        pytest.param("", (), False, id="no GRES"),
        pytest.param("craynetwork:4,bandwidth:lustre:no_consume:4G", (), False, id="others"),
    ],
)
def test_slurm_gres(gres: str, devices: tuple[str, ...], untyped: bool) -> None:  # noqa: FBT001
    text = json.dumps({"meta": {"x": [1]}, "nodes": [{"name": "n", "gres": gres}], "errors": []})
    (found,) = records(slurm.read, text)

    assert found.facts.devices == devices
    assert found.facts.capabilities == (("",) if untyped else ())


SMI = """name, driver_version, compute_cap, memory.total [MiB]
Tesla T4, 535.104.12, 7.5, 15360 MiB
NVIDIA A10, 535.104.12, 8.6, 23028 MiB
"""


def test_smi_dump_is_one_machine() -> None:
    (found,) = records(smi.read, SMI)

    assert found.facts == Facts(
        devices=("NVIDIA A10", "Tesla T4"), capabilities=("7.5", "8.6"), driver="535.104.12"
    )


def test_smi_dump_of_many_hosts_may_be_interleaved() -> None:
    first = [f"a: {line}" for line in SMI.splitlines()]
    second = [f"b: {line}" for line in SMI.splitlines()[:2]]
    second.append(
        "c: NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
    )
    mixed = "\n".join([first[0], second[0], second[1], first[1], first[2], second[2]])

    found = {record.name: record.facts for record in records(smi.read, mixed)}

    assert found["a"].devices == ("NVIDIA A10", "Tesla T4")
    assert found["b"].devices == ("Tesla T4",)
    assert "NVIDIA-SMI has failed" in found["c"].no_driver


def test_smi_without_compute_capability_is_looked_up_by_name() -> None:
    text = "name, driver_version\nTesla V100-SXM2-16GB, 470.103.01\n"
    (found,) = records(smi.read, text)

    known = kind(found.facts)
    assert [str(it) for it in known.capabilities] == ["7.0"]
    assert (known.device, str(known.cuda), "capability" in known.assumed) == (
        "Tesla V100", "11.4", True
    )  # fmt: skip


def test_smi_values_that_are_not_available_are_not_capabilities() -> None:
    (found,) = records(smi.read, "name, driver_version, compute_cap\nNVIDIA A10, [N/A], [N/A]\n")

    assert found.facts == Facts(devices=("NVIDIA A10",))


def test_table_of_targets_and_of_facts() -> None:
    text = (
        "# remark\nname,count,target,device,capability,driver,cuda\n"
        "r1,400,gh200@580,,,,\nr2,3,,,7.0 8.0,,12.4\n,,,H100,,550.54.14,\n"
    )
    first, second, third = records(table.read, text)

    assert (first.machines, kind(first.facts).device) == (400, "GH200 Grace Hopper")
    assert kind(first.facts).architecture == "aarch64"
    assert second.facts.capabilities == ("7.0", "8.0")
    assert (third.machines, kind(third.facts).driver) == (1, 550)


def test_machine_files_speak_for_themselves() -> None:
    machine = {
        "cuda_driver_version": "13.0",
        "driver_release": "580.65.06",
        "platform": {"architecture": "aarch64"},
        "gpus": [{"compute_capability": "9.0", "name": "NVIDIA GH200 480GB"}],
    }
    (found,) = records(machine_files.read, json.dumps(machine, indent=2))
    two = records(machine_files.read_lines, f"{json.dumps(machine)}\n{json.dumps(machine)}\n")

    known = kind(found.facts)
    assert (known.device, known.driver, known.assumed) == ("GH200 Grace Hopper", 580, ())
    assert [record.facts for record in two] == [found.facts] * 2


BAD: list[Any] = [
    pytest.param(kubernetes.read, "", "end of the file", id="nothing"),
    pytest.param(kubernetes.read, "[]", "JSON object", id="an array"),
    pytest.param(kubernetes.read, "{}", "items", id="no items"),
    pytest.param(kubernetes.read, '{"kind": "List"}', "items", id="another key"),
    pytest.param(kubernetes.read, '{"items": [{"metadata": {', "items[0]", id="cut off"),
    pytest.param(kubernetes.read, '{"items": 3}', "an array", id="no array"),
    pytest.param(kubernetes.read, '{"items": [{"metadata": 3}]}', "metadata", id="no object"),
    pytest.param(kubernetes.read, '{"items": [' + "[" * 9000, "items[0]", id="deep"),
    pytest.param(
        kubernetes.read,
        json.dumps({"items": [node("n", {"nvidia.com/gpu.product": 3})]}),  # type: ignore[dict-item]
        "nvidia.com/gpu.product: seen 3, expected a text",
        id="label is a number",
    ),
    pytest.param(
        slurm.read, '{"nodes": [{"gres": "gpu:a:b:c:d"}]}', "expected gpu:TYPE:COUNT", id="GRES"
    ),
    pytest.param(smi.read, "Tesla T4, 535.1, 7.5\n", "header", id="no header"),
    pytest.param(smi.read, "name, compute_cap\nTesla T4\n", "line 2: seen 1 cells", id="cells"),
    pytest.param(table.read, "gpu,count\nH100,1\n", "gpu: seen this column", id="column"),
    pytest.param(table.read, "count,name\n1,a\n", "target, device or capability", id="no machine"),
    pytest.param(table.read, "target,count\nt4,-1\n", "count: seen '-1'", id="negative"),
    pytest.param(table.read, "target,count\nt4,9999999999\n", "whole number", id="too many"),
    pytest.param(table.read, "target,driver\nt4@535,580\n", "beside a target", id="both"),
    pytest.param(table.read, "target\nh10000\n", "line 2: target", id="unknown target"),
    pytest.param(table.read, "target\n" + "x" * (1 << 21), "longer line", id="endless line"),
    pytest.param(machine_files.read, "{]", "JSON document", id="no JSON"),
    pytest.param(machine_files.read, '{"gpus": 3}', "gpus: expected a list", id="no list"),
    pytest.param(machine_files.read, " " * (1 << 21), "larger file", id="endless file"),
]


@pytest.mark.parametrize(("reader", "text", "named"), BAD)
def test_malformed_list_is_an_error_that_names_the_place(
    reader: Any,  # noqa: ANN401 - the readers of several modules
    text: str,
    named: str,
) -> None:
    with pytest.raises(FleetError) as caught:
        records(reader, text)

    assert str(caught.value).startswith("list")
    assert named in str(caught.value)


@pytest.mark.parametrize("column", ["driver", "cuda", "capability"])
def test_malformed_fact_names_file_line_and_form(column: str) -> None:
    text = f"device,capability,driver,cuda,{'name'}\n"
    cells = {"device": "H100", "capability": "", "driver": "", "cuda": "", "name": "node7"}
    cells[column] = "banana"
    row = ",".join(cells[name] for name in ("device", "capability", "driver", "cuda", "name"))

    with pytest.raises(FleetError, match=r"list: line 2: node7: seen 'banana', expected a .* such"):
        tally(records(table.read, f"{text}{row}\n"))


def test_a_list_of_nothing_but_different_machines_is_refused() -> None:
    rows = "".join(f"gpu{number},9.0,580\n" for number in range(20_001))

    with pytest.raises(FleetError, match="at most 20000"):
        tally(records(table.read, f"device,capability,driver\n{rows}"))


class Trickle(io.BytesIO):
    """A stream that gives little at a time, so that every value is cut somewhere."""

    step = 7

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or self.step, self.step))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(
    values=st.lists(json_values, max_size=6),
    before=st.dictionaries(st.text("xyz", max_size=3), json_values, max_size=3),
    indent=st.none() | st.integers(0, 3),
)
def test_elements_are_those_json_would_read_wherever_the_stream_is_cut(
    values: list[object], before: dict[str, object], indent: int | None
) -> None:
    document = json.dumps({**before, "items": values, "after": 1}, indent=indent).encode()

    found = [value for _, value in streams.elements(Trickle(document), "list", "items")]

    assert found == values


@settings(deadline=None)
@given(size=st.integers(1, 400))
def test_parts_of_a_file_hold_every_line_once(tmp_path_factory: Any, size: int) -> None:  # noqa: ANN401
    path = tmp_path_factory.mktemp("parts") / "fleet.csv"
    names = [f"node{number}" + "x" * (number % 7) for number in range(40)]
    path.write_text("# ours\nname,target\n" + "".join(f"{name},t4@535\n" for name in names))

    parts = list(split(Partition(str(path), "csv"), size))
    found = [record.name for part in parts for record in read(part)]

    assert found == names


def test_a_folder_is_read_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text('{"cuda_driver_version": "12.0"}\n' * 3)
    (tmp_path / "a.json").write_text('{"cuda_driver_version": "12.0"}')
    (tmp_path / ".hidden.json").write_text("no machine")

    parts = list(files(str(tmp_path), "machine"))

    assert [part.format for part in parts] == ["machine", "machine-lines"]
    assert sum(1 for part in parts for _ in read(part)) == 4


@pytest.mark.parametrize("form", ["csv", "kubernetes", "machine", "machine-lines"])
def test_missing_file_is_an_error_that_names_it(form: str, tmp_path: Path) -> None:
    with pytest.raises(FleetError, match=r"no-such-list.*No such file"):
        list(read(Partition(str(tmp_path / "no-such-list"), form)))
