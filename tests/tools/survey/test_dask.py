"""Surveys on a Dask cluster: the same lines, whatever becomes of its workers."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.survey import engines
from nvidia_variant_provider.tools.survey.engines import (
    examine_batch,
    examine_here,
    examine_with_dask,
)
from nvidia_variant_provider.tools.survey.task import Task
from nvidia_variant_provider.tools.survey.wheels import Wheel, find_wheels
from tests.tools.survey.makers import parent_of, wait_for_reader, write_mirror, write_slow_wheel
from tests.tools.survey.test_engines import failures, records
from tests.wheel_maker import cuda_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from distributed import LocalCluster

pytestmark = pytest.mark.filterwarnings("ignore")  # distributed and tornado warn in their threads

INSPECT = Task("inspect")


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    distributed = pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    # By default a task may take four workers with it, each of which takes seconds to start again.
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as made,
    ):
        yield made


def test_the_command_writes_the_same_on_a_cluster(
    cluster: LocalCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror = write_mirror(tmp_path / "mirror", 200)
    here, there = tmp_path / "here.jsonl", tmp_path / "there.jsonl"
    words = ["survey", "inspect", str(mirror)]
    assert main([*words, "-o", str(here)]) == 1
    assert main([*words, "-o", str(there), "--dask", cluster.scheduler_address]) == 1
    assert main([*words, "-o", str(there), "--dask", cluster.scheduler_address]) == 1

    assert sorted(there.read_text().splitlines()) == sorted(here.read_text().splitlines())
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.endswith("200 wheels: 180 done, 20 failed, 200 of them before")


def test_a_wheel_that_kills_its_reader_there_is_a_record(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    distributed = pytest.importorskip("distributed")
    slow = write_slow_wheel(tmp_path / "slow-1.0-py3-none-any.whl")
    write_mirror(tmp_path, 20)
    killer = threading.Thread(target=lambda: os.kill(wait_for_reader(slow), 9))
    killer.start()

    with distributed.Client(cluster) as client:
        lines = list(examine_with_dask(client, INSPECT, find_wheels([str(tmp_path)], [])))
    killer.join()

    assert len(lines) == 21
    assert failures(lines)[slow.name][0] == "worker-died"


@pytest.mark.deep
def test_a_wheel_that_takes_dask_workers_with_it_is_a_record_and_its_batch_is_done(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed")
    slow = write_slow_wheel(tmp_path / "slow-1.0-py3-none-any.whl")
    write_mirror(tmp_path, 20)
    monkeypatch.setattr(engines, "_BATCH_BYTES", 8 << 30)  # all of them in one
    wheels = find_wheels([str(tmp_path)], [])
    killed: list[int] = []

    def kill_workers() -> None:
        # Once with its batch, and once when it is tried alone.
        for _ in range(2):
            reader = wait_for_reader(slow, but=killed[-1] if killed else 0)
            worker = parent_of(reader)
            os.kill(worker, 9)
            os.kill(reader, 9)
            killed.append(reader)

    killer = threading.Thread(target=kill_workers)
    killer.start()
    with distributed.Client(cluster) as client:
        lines = list(examine_with_dask(client, INSPECT, wheels))
    killer.join()

    assert len(killed) == 2
    found = failures(lines)
    assert found[slow.name][0] == "worker-died"
    assert "took its Dask worker" in found[slow.name][1]
    quick = [wheel for wheel in wheels if wheel.path != str(slow)]
    expected = records(examine_here(INSPECT, quick, 1))
    assert [one for one in records(lines) if one["path"] != str(slow)] == expected


def test_a_batch_is_bounded_in_wheels_and_in_bytes() -> None:
    wheels = [Wheel(f"/{index}.whl", size, 0) for index, size in enumerate([3 << 30] + [1] * 130)]

    batches = list(engines._batches(wheels))  # noqa: SLF001 - what a worker gets at once

    assert [len(batch) for batch in batches] == [1, 64, 64, 2]
    assert [wheel for batch in batches for wheel in batch] == wheels


def test_a_batch_is_what_its_wheels_are(tmp_path: Path) -> None:
    wheel = Wheel.of(str(cuda_wheel(tmp_path, "80")))
    gone = Wheel("/gone.whl", None, None, "No such file or directory")
    fields = [(it.path, it.size, it.mtime_ns, it.problem) for it in (wheel, gone)]

    lines = examine_batch(("inspect", 0.0), fields, 0.0)

    assert [one["outcome"] for one in records(lines)] == ["failed", "done"]


def test_a_cluster_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Its defaults come with it: settings made before would stand alone.
    pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    wheel = cuda_wheel(tmp_path, "80")
    words = ["survey", "inspect", str(wheel), "-o", str(tmp_path / "r.jsonl"), "--dask"]

    with dask.config.set({"distributed.comm.timeouts.connect": "200ms"}):
        assert main([*words, "tcp://127.0.0.1:1"]) == 2
    assert "--dask tcp://127.0.0.1:1: " in capsys.readouterr().err
    assert main([*words, "nonsense://x"]) == 2
    assert "--dask nonsense://x: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ModuleNotFoundError("No module named 'nvidia_variant_provider'"), "the workers need"),
        (ConnectionError("closed"), "the cluster was lost"),
        (InvalidValueError("no reader can be started"), "a worker says: no reader"),
    ],
)
def test_what_stops_all_work_on_a_cluster_is_told(
    cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    distributed = pytest.importorskip("distributed")

    def fail(*_: object) -> list[str]:
        raise error

    monkeypatch.setattr(engines, "examine_batch", fail)
    with (
        distributed.Client(cluster) as client,
        pytest.raises(InvalidValueError, match=f"--dask: {message}"),
    ):
        list(examine_with_dask(client, INSPECT, [Wheel("/a.whl", 1, 1)]))


def test_a_scheduler_that_goes_away_is_told(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    address = tmp_path / "scheduler.json"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0"]
    scheduler = subprocess.Popen(
        [*command, "--no-dashboard", "--scheduler-file", str(address)],
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    with dask.config.set({"distributed.comm.timeouts.connect": "2s"}):
        try:
            client = distributed.Client(scheduler_file=str(address), timeout=30)
            threading.Timer(1.0, scheduler.kill).start()
            # It has no workers, so the wheel is waited for.
            with pytest.raises(InvalidValueError, match="--dask: the cluster was lost"):
                list(examine_with_dask(client, INSPECT, [Wheel("/a.whl", 1, 1)]))
            client.close()
        finally:
            scheduler.kill()
            scheduler.wait()
