"""Every kind of inventory, its traps, and what is refused; the samples are in test_samples."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.inventory import inventories
from nvidia_variant_provider.errors import FleetError, InvalidValueError
from nvidia_variant_provider.tools.inventory import Partition, files, read, split, streams
from nvidia_variant_provider.tools.inventory.gres import expand_hosts, parse_gres
from nvidia_variant_provider.tools.inventory.machine import Entry, StatedGpu, StatedMachine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def entries(folder: Path, content: object, name: str = "list") -> list[Entry]:
    found = outcomes(folder, content, name)
    assert not [error for error in found if isinstance(error, FleetError)]
    return [entry for entry in found if isinstance(entry, Entry)]


def outcomes(folder: Path, content: object, name: str = "list") -> list[Entry | FleetError]:
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / name).write_text(text, encoding="utf-8")
    return list(read(Partition(str(folder / name))))


def gpus(folder: Path, content: object) -> list[tuple[StatedGpu, ...]]:
    return [entry.machine.gpus for entry in entries(folder, content)]


def node(labels: dict[str, str], **capacity: str) -> dict[str, object]:
    held = {f"nvidia.com/{key.replace('_', '-')}": value for key, value in capacity.items()}
    return {
        "kind": "Node",
        "metadata": {"name": "n1", "labels": labels},
        "status": {"capacity": held, "nodeInfo": {"architecture": "amd64"}},
    }


INSTANCE = "node.kubernetes.io/instance-type"


@pytest.mark.parametrize(
    ("labels", "capacity", "expected"),
    [
        pytest.param(
            {"nvidia.com/gpu.product": "Tesla-T4", "nvidia.com/gpu.count": "4"},
            {"gpu": "8"},
            (StatedGpu("Tesla T4", "", 4), StatedGpu("", "", 4)),
            id="two kinds of GPU, one of them named",
        ),
        pytest.param(
            {"nvidia.com/gpu.product": "NVIDIA-A30-MIG-INVALID", "nvidia.com/gpu.count": "0"},
            {},
            (StatedGpu("NVIDIA A30", "", None),),
            id="MIG without devices",
        ),
        pytest.param(
            {"nvidia.com/gpu.family": "hopper"},
            {"gpu": "8"},
            (StatedGpu("hopper", "", 8),),
            id="the generation only",
        ),
        pytest.param({}, {"mig_1g.10gb": "7"}, (StatedGpu(),), id="only MIG devices"),
        pytest.param({}, {"gpu.shared": "4"}, (StatedGpu(),), id="only shares"),
        pytest.param({}, {"gpu": "2"}, (StatedGpu("", "", 2),), id="a GPU without a name"),
        pytest.param(
            {"karpenter.k8s.aws/instance-gpu-name": "l40s"},
            {"gpu": "4"},
            (StatedGpu("l40s", "", 4),),
            id="Karpenter",
        ),
        pytest.param(
            {
                "karpenter.k8s.aws/instance-gpu-name": "v520",
                "karpenter.k8s.aws/instance-gpu-manufacturer": "amd",
            },
            {},
            (),
            id="AMD",
        ),
        pytest.param({INSTANCE: "g4ad.xlarge"}, {}, (), id="a cloud's type with AMD"),
        pytest.param(
            {"akash.network/capabilities.gpu.vendor.nvidia.model.rtx4090": "2"},
            {"gpu": "2"},
            (StatedGpu("rtx4090", "", 2),),
            id="Akash",
        ),
        pytest.param({INSTANCE: "m5.large"}, {}, (), id="no GPU"),
    ],
)
def test_kubernetes_nodes(
    labels: dict[str, str], capacity: dict[str, str], expected: tuple[StatedGpu, ...], folder: Path
) -> None:
    assert gpus(folder, {"items": [node(labels, **capacity)], "kind": "List"}) == [expected]


def slice_of(uuid: str, generation: int, **attributes: str) -> dict[str, object]:
    device = {"attributes": {"uuid": {"string": uuid}, "type": {"string": "gpu"}}}
    device["attributes"] |= {
        key: {"version" if "ersion" in key or "Cap" in key else "string": value}
        for key, value in attributes.items()
    }
    pool = {"name": "n1", "generation": generation, "resourceSliceCount": 1}
    spec = {"driver": "gpu.nvidia.com", "nodeName": "n1", "pool": pool, "devices": [device]}
    return {"kind": "ResourceSlice", "metadata": {"name": "s"}, "spec": spec}


def test_resource_slices_say_more_of_a_node_and_the_newest_generation_counts(folder: Path) -> None:
    told = {"productName": "NVIDIA L4", "driverVersion": "570.124.6"}
    items = [
        node({}),
        slice_of("GPU-old", 1, **told),
        slice_of("GPU-1", 2, cudaComputeCapability="8.9.0", cudaDriverVersion="12.8.0", **told),
        slice_of("MIG-1", 2, parentUUID="GPU-1", **told),
    ]

    (entry,) = entries(folder, {"items": items})

    assert entry.machine == StatedMachine(
        (StatedGpu("NVIDIA L4", "8.9", 1),), "570.124.06", "12.8", "amd64"
    )


@pytest.mark.parametrize(
    ("gres", "expected"),
    [
        pytest.param("gpu:2080ti:8(IDX:0-7)", (StatedGpu("2080ti", "", 8),), id="digits first"),
        pytest.param("gpu:a40:no_consume:4", (StatedGpu("a40", "", 4),), id="no_consume"),
        pytest.param("gpu:(null):8", (StatedGpu("", "", 8),), id="no type matched"),
        pytest.param("gpu:1g.10gb+me:1", (StatedGpu(),), id="a bare MIG profile"),
        pytest.param("gpu:b200:8,gpu:1g.23gb:7", (StatedGpu("b200"),), id="slices of its GPUs"),
        pytest.param("gpu:mi250:8,gpu:max_1550:4", (), id="AMD and Intel"),
        pytest.param("gpu:t4:0", (), id="none left"),
        pytest.param("gpu", (StatedGpu("", "", 1),), id="bare"),
        pytest.param("gpu:2080", (StatedGpu("2080", "", 1),), id="a type of digits"),
        pytest.param(
            "gpu:a100:4(S:0,2),gpu:t4:2,nic:1",
            (StatedGpu("a100", "", 4), StatedGpu("t4", "", 2)),
            id="two types",
        ),
        pytest.param("craynetwork:4,bandwidth:lustre:no_consume:4G", (), id="no GPUs"),
        pytest.param("gpu:h100:1K", (StatedGpu("h100", "", 1024),), id="unit"),
    ],
)
def test_slurm_gres(gres: str, expected: tuple[StatedGpu, ...]) -> None:
    assert parse_gres(gres).gpus == expected


def test_hosts_of_slurm() -> None:
    assert expand_hosts("n[1-3,07],login") == ("n1", "n2", "n3", "n07", "login")
    assert expand_hosts("r[1-2]n[01-02]") == ("r1n01", "r1n02", "r2n01", "r2n02")
    with pytest.raises(ValueError, match="more than"):
        expand_hosts("n[1-999999]")
    with pytest.raises(ValueError, match="not a list of hosts"):
        expand_hosts("n[a-b]")


def test_all_bad_entries_are_values_and_the_rest_is_read(folder: Path) -> None:
    nodes = [{"name": "a", "gres": 3}, {"name": "b", "gres": "gpu:t4:1"}, {"gres": "gpu:a:b:c:d"}]

    found = outcomes(folder, {"nodes": nodes})

    assert [isinstance(entry, FleetError) for entry in found] == [True, False, True]
    assert str(found[0]) == "list: nodes[0]: gres: 3; expected a text"


def test_one_host_without_the_program_costs_nothing(folder: Path) -> None:
    text = (
        "n1: name, driver_version, compute_cap\nn1: NVIDIA L4, 550.54.15, 8.9\n"
        "n2: bash: line 1: nvidia-smi: command not found\n"
        "pdsh@login: n2: ssh exited with exit code 127\n"
    )
    first, second = entries(folder, text)

    assert first.machine.gpus == (StatedGpu("NVIDIA L4", "8.9", 1),)
    assert second.machine == StatedMachine(assumed=("no nvidia-smi: counted as a CPU machine",))


BLOCKS = """\
----------------
n[1-2] (2)
----------------
name, driver_version
NVIDIA A40, 550.54.15
----------------
n3
----------------
GPU 0: Tesla T4 (UUID: GPU-1)
"""


def test_blocks_of_clush_and_dshbak(folder: Path) -> None:
    found = {entry.name: entry.machine.gpus for entry in entries(folder, BLOCKS)}

    assert found == {
        "n1": (StatedGpu("NVIDIA A40", "", 1),),
        "n2": (StatedGpu("NVIDIA A40", "", 1),),
        "n3": (StatedGpu("Tesla T4", "", 1),),
    }


REPORT_OF_610 = """\
==============NVSMI LOG==============
KMD Version                               : 610.43.02
Driver Version                            : 610.43.02 (deprecated)
CUDA UMD Version                          : 13.3
Attached GPUs                             : 1
GPU 00000000:17:00.0
    Product Name                          : NVIDIA L40S
    PCI
        Device Id                         : 0x26B910DE
"""


def test_report_of_newer_drivers_has_other_words(folder: Path) -> None:
    (entry,) = entries(folder, REPORT_OF_610)

    assert entry.machine == StatedMachine(
        (StatedGpu("NVIDIA L40S", "8.9", 1),), "610.43.02", "13.3"
    )


def test_metrics_of_dcgm_count_gpus_and_not_samples(folder: Path) -> None:
    labels = 'gpu="0",UUID="GPU-1",modelName="Tesla T4",Hostname="n1"'
    text = (
        "# HELP DCGM_FI_DEV_SM_CLOCK SM clock\n"
        f'DCGM_FI_DEV_SM_CLOCK{{{labels},pod="a"}} 405\n'
        f'DCGM_FI_DEV_SM_CLOCK{{{labels},pod="b",DCGM_FI_DRIVER_VERSION="535.1.2"}} 405\n'
    )
    (entry,) = entries(folder, text)

    assert entry.machine == StatedMachine((StatedGpu("Tesla T4", "", 1),), "535.1.2")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(
            [
                {
                    "NodeID": "1",
                    "Alive": True,
                    "Resources": {"GPU": 4.0, "accelerator_type:A100": 1.0},
                },
                {"NodeID": "2", "Alive": False, "Resources": {"GPU": 4.0}},
            ],
            [(StatedGpu("A100", "", 4),)],
            id="Ray",
        ),
        pytest.param(
            {
                "ansible_facts": {
                    "ansible_local": {"gpu": [{"name": "Tesla T4", "compute_cap": "7.5"}]}
                }
            },
            [(StatedGpu("Tesla T4", "7.5", 1),)],
            id="Ansible facts of a site",
        ),
        pytest.param(
            {"Reservations": [{"Instances": [{"InstanceId": "i", "InstanceType": "g5.xlarge"}]}]},
            [(StatedGpu("A10G", "", 1),)],
            id="EC2 instances",
        ),
        pytest.param(
            [{"name": "vm", "machineType": "zones/x/machineTypes/g2-standard-24"}],
            [(StatedGpu("L4", "", 2),)],
            id="Google instances",
        ),
        pytest.param(
            [
                {
                    "machineType": "n1-standard-8",
                    "guestAccelerators": [
                        {
                            "acceleratorType": "zones/x/acceleratorTypes/nvidia-tesla-v100",
                            "acceleratorCount": 2,
                        }
                    ],
                }
            ],
            [(StatedGpu("nvidia-tesla-v100", "", 2),)],
            id="attached in Google's cloud",
        ),
        pytest.param(
            {"cuda_driver_version": "13.0", "gpus": [{"compute_capability": "9.0"}]},
            [(StatedGpu("", "9.0", 1),)],
            id="machine file",
        ),
        pytest.param({"items": []}, [], id="an empty cluster"),
    ],
)
def test_documents(document: object, expected: list[tuple[StatedGpu, ...]], folder: Path) -> None:
    assert gpus(folder, document) == expected


def test_record_of_a_machine_is_detected_on(folder: Path) -> None:
    from pathlib import Path as AnyPath

    record = AnyPath(__file__).parents[2] / "data" / "machines" / "colab.json"
    (entry,) = entries(folder, record.read_text("utf-8"))

    assert (entry.machine.driver, entry.machine.cuda) == ("535.104.05", "12.2")


TABLE = "# remark\nHostname;Quantity;GPU model;Rack\nr1;40;NVIDIA L4;7\n"


def test_table_of_a_spreadsheet_with_other_names_and_more_columns(folder: Path) -> None:
    (entry,) = entries(folder, TABLE)

    assert (entry.name, entry.machines) == ("r1", 40)
    assert entry.machine.gpus == (StatedGpu("NVIDIA L4"),)


ANSIBLE_FACTS = """\
n1 | SUCCESS => {
    "ansible_facts": {
        "ansible_architecture": "aarch64",
        "ansible_local": {"gpu": {"name": "NVIDIA GH200 480GB", "driver_version": "580.65.06"}}
    }
}
"""


def test_facts_of_hosts_as_ansible_prints_them(folder: Path) -> None:
    (entry,) = entries(folder, ANSIBLE_FACTS)

    assert (entry.name, entry.machine.driver, entry.machine.architecture) == (
        "n1", "580.65.06", "aarch64"
    )  # fmt: skip


def test_sinfo_without_a_header(folder: Path) -> None:
    (entry, cpu) = entries(folder, "n[1-4] gpu:Q6K:4(S:0-1)\nlogin (null)\n")

    assert (entry.machines, entry.machine.gpus) == (4, (StatedGpu("Q6K", "", 4),))
    assert cpu.machine == StatedMachine()


BAD = [
    pytest.param(
        'Field "compute_cap" is not a valid field to query.\n',
        "hint: nvidia-smi --query-gpu=name,driver_version --format=csv",
        id="old driver",
    ),
    pytest.param("", "an empty file", id="nothing"),
    pytest.param("{}", "an empty JSON object", id="an empty object"),
    pytest.param({"gpu": [], "cuda": "13.0"}, "a JSON object with 'gpu', 'cuda'", id="misspelt"),
    pytest.param(
        {"kind": "PodList", "items": []}, "objects of kind Pod; expected nodes", id="no Pods"
    ),
    pytest.param(
        {"items": [{"kind": "Pod"}]}, "expected nodes\nhint: kubectl get nodes -o json", id="Pods"
    ),
    pytest.param(
        {"status": "success", "data": {"resultType": "vector", "result": []}},
        "no sample",
        id="no samples",
    ),
    pytest.param('{"items": [{"metadata": {', "items[0]", id="cut off"),
    pytest.param('{"items": [' + "[" * 9000, "items[0]", id="deep"),
    pytest.param('{"items": [' + "1" * 5000 + "]}", "thousands of digits", id="long number"),
    pytest.param('{"items": ["' + "x" * (9 << 20), "at most", id="endless value"),
    pytest.param('{"items" 3}', "':'", id="no colon"),
    pytest.param('{"items": []} x', "a JSON object or array", id="more behind"),
    pytest.param("<html></html>", "nvidia_smi_log", id="another document"),
    pytest.param('<!DOCTYPE x [<!ENTITY a "b">]><x/>', "an entity", id="entities"),
    pytest.param("apiVersion: [", "a YAML document", id="broken YAML"),
    pytest.param("kind: Pod\n", "Kubernetes objects of kind Pod", id="YAML of Pods"),
    pytest.param("| NVIDIA-SMI 550.54  Driver Version: 550.54 |", "cuts names", id="overview"),
    pytest.param("NAME   STATUS   ROLES\nn1   Ready\n", "get nodes -o json", id="kubectl's table"),
    pytest.param("PARTITION AVAIL\nall up\n", "scontrol show nodes --json", id="sinfo's table"),
    pytest.param("Tesla T4, 15360 MiB\n", "nvidia-smi --query-gpu", id="no driver, no capability"),
    pytest.param(
        "target,cout\nt4,1\n",
        "cout: an unknown column; expected a known one\nhint: did you mean 'count'?",
        id="misspelt column",
    ),
    pytest.param("target,target\nt4,t4\n", "every column once", id="column twice"),
    pytest.param("hello world\n", "nvidia-smi --query-gpu", id="prose"),
    pytest.param({"ansible_facts": {"ansible_local": {}}}, "name no GPU", id="bare Ansible facts"),
]


@pytest.mark.parametrize(("content", "named"), BAD)
def test_what_is_no_inventory_is_refused_with_what_it_looks_like(
    content: object, named: str, folder: Path
) -> None:
    with pytest.raises(FleetError) as caught:
        raise next(error for error in outcomes(folder, content) if isinstance(error, FleetError))

    shown = f"{caught.value}\nhint: {caught.value.hint}"
    assert named in shown
    assert len(shown) < 600


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("t4,-1", "count: '-1'; expected"),
        ("t4,9999999999", "whole number"),
        ("t4,1,2", "3 cells"),
        ("h10000,1", "target: 'h10000'; expected"),
    ],
)
def test_bad_line_of_a_table_is_named(line: str, named: str, folder: Path) -> None:
    (error,) = outcomes(folder, f"target,count\n{line}\n")

    assert isinstance(error, FleetError)
    assert named in str(error)
    assert "line 2" in str(error)


def test_damaged_gzip_is_an_error_that_names_the_file(folder: Path) -> None:
    (folder / "nodes.json.gz").write_bytes(b"\x1f\x8b\x08\x00broken")

    with pytest.raises(FleetError, match=r"nodes\.json\.gz"):
        list(read(Partition(str(folder / "nodes.json.gz"))))


def test_missing_file_and_empty_folder_are_errors_that_name_them(folder: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"no-such-list: no such file or folder"):
        list(read(Partition(str(folder / "no-such-list"))))
    with pytest.raises(FleetError, match="an empty folder"):
        list(files(str(folder)))


def test_folder_is_read_file_by_file(folder: Path) -> None:
    (folder / "b.jsonl").write_text('{"cuda_driver_version": "12.0"}\n' * 3)
    (folder / "a.csv").write_text("target\nt4@535\n")
    (folder / ".hidden.json").write_text("no machine")

    parts = list(files(str(folder)))

    assert [part.path.rpartition("/")[2] for part in parts] == ["a.csv", "b.jsonl"]
    assert sum(1 for part in parts for _ in read(part)) == 4


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"target\nt4@535\n")))

    (entry,) = read(Partition("-"))

    assert isinstance(entry, Entry)
    assert (entry.source, entry.where) == ("standard input", "line 2")


def test_only_tables_are_cut_into_parts(folder: Path) -> None:
    (folder / "nodes.json").write_text(json.dumps({"items": []}))
    whole = Partition(str(folder / "nodes.json"))

    assert list(split(whole, 5)) == [whole]
    assert list(split(Partition("-"), 5)) == [Partition("-")]


@settings(deadline=None)
@given(size=st.integers(1, 400))
def test_parts_of_a_table_hold_every_line_once(
    tmp_path_factory: pytest.TempPathFactory, size: int
) -> None:
    path = tmp_path_factory.mktemp("parts") / "fleet.csv"
    names = [f"node{number}" + "x" * (number % 7) for number in range(40)]
    path.write_text("# ours\nname,target\n" + "".join(f"{name},t4@535\n" for name in names))

    parts = split(Partition(str(path)), size)
    found = [entry.name for part in parts for entry in read(part) if isinstance(entry, Entry)]

    assert found == names


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

    parts = list(streams.parts(Trickle(document * 2), "list", {"items"}))

    assert [part.value for part in parts if part.listed] == values * 2
    assert {part.key: part.value for part in parts if not part.listed and not part.end} == {
        **before, "items": [], "after": 1,
    }  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(text=st.text(max_size=200))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "list"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")

    try:
        found = list(read(Partition(str(path))))
    except FleetError:
        found = []

    assert all(isinstance(entry, (Entry, FleetError)) for entry in found)


def peak_of(path: Path) -> int:
    """Return how many bytes Python allocates at most while an inventory is read."""
    tracemalloc.start()
    for entry in read(Partition(str(path))):
        assert isinstance(entry, Entry)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("kind", ["Kubernetes nodes", "Slurm, JSON", "Slurm, text", "CSV"])
def test_memory_does_not_grow_with_the_machines(kind: str, folder: Path) -> None:
    peaks = []
    for count in (1_000, 8_000):
        text = next(text for name, _, text in inventories(count) if name == kind)
        (folder / "list").write_text(text)
        peaks.append(peak_of(folder / "list"))

    assert peaks[1] < peaks[0] + (1 << 20)
