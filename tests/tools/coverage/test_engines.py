from __future__ import annotations

import json
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import FleetError
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.coverage import Partition, read, split, tally
from nvidia_variant_provider.tools.coverage.engines import (
    merge,
    tally_here,
    tally_part,
    tally_with_dask,
)
from nvidia_variant_provider.tools.demo.releases import release as torch_release

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore")  # distributed and tornado warn in their threads

TARGETS = ("h100@580", "gh200@570", "v100@535", "t4@550", "rtx-5090@620")


def write_fleet(path: Path, count: int) -> str:
    rows = (f"n{index},{TARGETS[index % len(TARGETS)]}\n" for index in range(count))
    path.write_text("name,target\n" + "".join(rows))
    return str(path)


def test_parts_merge_to_the_whole(tmp_path: Path) -> None:
    path = write_fleet(tmp_path / "fleet.csv", 2000)
    parts = list(split(Partition(path), 3000))

    whole = tally(read(Partition(path)))

    assert len(parts) > 5
    assert tally_here(parts) == whole == merge(tally_part(part) for part in reversed(parts))
    assert whole.machines == 2000


def test_dask_counts_the_parts_of_a_worker_that_is_killed_again(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    path = write_fleet(tmp_path / "fleet.csv", 60_000)
    parts = list(split(Partition(path), 12_000))
    killed: list[int] = []

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        workers = client.run(os.getpid)

        def kill_one() -> None:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                held = [address for address, keys in client.has_what().items() if keys]
                if held:
                    os.kill(workers[held[0]], 9)
                    killed.append(workers[held[0]])
                    return
                time.sleep(0.005)

        killer = threading.Thread(target=kill_one)
        killer.start()
        counted = tally_with_dask(client, parts)
        killer.join()

    assert killed
    assert counted == tally_here(parts)
    assert counted.machines == 60_000


def test_command_counts_on_a_cluster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    distributed = pytest.importorskip("distributed")
    path = write_fleet(tmp_path / "fleet.csv", 700)
    source = tmp_path / "torch-2.14.1-variants.json"
    source.write_text(torch_release("2.14.1").to_json())
    options = ["coverage", str(source), "--json", "--inventory", path]

    with distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster:
        assert main([*options, "--dask", cluster.scheduler_address]) == 0
    counted = capsys.readouterr().out
    assert main(options) == 0

    assert json.loads(counted) == json.loads(capsys.readouterr().out)
    assert json.loads(counted)["machines"] == 700


def test_error_in_a_part_comes_back_from_dask_as_itself(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    path = tmp_path / "nodes.json"
    path.write_text(json.dumps({"items": 3}))

    with (
        distributed.Client(processes=False, n_workers=1, dashboard_address=None) as client,
        pytest.raises(FleetError, match=r"nodes\.json.*with 'items'"),
    ):
        tally_with_dask(client, [Partition(str(path))])
