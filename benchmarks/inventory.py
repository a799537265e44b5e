"""Cost of every reader of inventories: time as a ratio to ``json.load`` or ``csv.reader`` alone.

Each reader gets a generated file of so many machines; the yardstick reads the same bytes and does
nothing with them. Times are the best of three runs in this process; the memory is what Python
allocates at most while the file is read (``tracemalloc``, in a run of its own).
``python -m benchmarks.inventory [--machines 20000]``
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
import tracemalloc
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.inventory import Partition, read
from nvidia_variant_provider.tools.inventory.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GPUS: Final = ("NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB", "Tesla T4", "NVIDIA L40S")
RUNS: Final = 3


def _node(number: int) -> dict[str, object]:
    labels = {
        "kubernetes.io/arch": "amd64",
        "nvidia.com/gpu.product": GPUS[number % len(GPUS)].replace(" ", "-"),
        "nvidia.com/gpu.count": "8",
        "nvidia.com/cuda.driver-version.full": "580.65.06",
        "nvidia.com/cuda.runtime-version.full": "13.0",
    }
    labels |= {f"example.com/label-{index}": f"value-{number}" for index in range(20)}
    return {"kind": "Node", "metadata": {"name": f"n{number}", "labels": labels}, "status": {}}


def _slice(number: int) -> dict[str, object]:
    attributes = {
        "uuid": {"string": f"GPU-{number}"}, "type": {"string": "gpu"},
        "productName": {"string": GPUS[number % len(GPUS)]},
        "driverVersion": {"version": "580.65.6"},
    }  # fmt: skip
    pool = {"name": f"n{number}", "generation": 1, "resourceSliceCount": 1}
    device = {"name": "gpu-0", "attributes": attributes}
    spec = {"driver": "gpu.nvidia.com", "nodeName": f"n{number}", "pool": pool, "devices": [device]}
    return {"kind": "ResourceSlice", "spec": spec}


def _slurm(number: int) -> dict[str, object]:
    gres = f"gpu:{GPUS[number % len(GPUS)].lower().replace(' ', '_')}:8(S:0-1)"
    return {"name": f"n{number}", "architecture": "x86_64", "gres": gres, "features": ["gpu"]}


def _text_node(number: int) -> str:
    return (
        f"NodeName=n{number} Arch=x86_64 CoresPerSocket=32\n   AvailableFeatures=gpu\n"
        f"   Gres=gpu:a100:4(S:0-1)\n   OS=Linux 5.14.0 #1 SMP\n   CfgTRES=cpu=64,gres/gpu=4\n\n"
    )


def _pdsh(number: int) -> str:
    gpu = GPUS[number % len(GPUS)]
    return f"n{number}: name, driver_version\n" + f"n{number}: {gpu}, 580.65.06\n" * 8


def _sample(number: int) -> str:
    gpu = GPUS[number % len(GPUS)]
    labels = f'gpu="0",UUID="GPU-{number}",modelName="{gpu}",Hostname="n{number}"'
    return f"DCGM_FI_DEV_SM_CLOCK{{{labels}}} 405\n"


def _table(number: int) -> str:
    return f"n{number},{GPUS[number % len(GPUS)]},580.65.06,1\n"


def _joined(head: str, rows: Iterator[object], tail: str) -> str:
    return head + ",\n".join(json.dumps(row) for row in rows) + tail


def inventories(count: int) -> Iterator[tuple[str, str, str]]:
    """Yield the name of each kind, its yardstick and a text of so many machines."""
    numbers = range(count)
    yield "Kubernetes nodes", "json", _joined('{"items": [', map(_node, numbers), "]}")
    yield "ResourceSlices", "json", _joined('{"items": [', map(_slice, numbers), "]}")
    yield "Slurm, JSON", "json", _joined('{"nodes": [', map(_slurm, numbers), "]}")
    yield "Slurm, text", "csv", "".join(map(_text_node, numbers))
    yield "nvidia-smi by pdsh", "csv", "".join(map(_pdsh, numbers))
    yield "DCGM metrics", "csv", "".join(map(_sample, numbers))
    yield "CSV", "csv", "name,device,driver,count\n" + "".join(map(_table, numbers))


def _yardstick(path: Path, kind: str) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        if kind == "json":
            json.load(file)
        else:
            for _ in csv.reader(file):
                pass


def _ours(path: Path) -> int:
    return sum(1 for entry in read(Partition(str(path))) if not _failed(entry))


def _failed(entry: object) -> bool:
    from nvidia_variant_provider.tools.inventory.machine import Entry

    if not isinstance(entry, Entry):
        return True
    resolve(entry.machine)
    return False


def best(work: Callable[[], object]) -> float:
    """Return the shortest of a few runs, in seconds."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=20_000)
    count = parser.parse_args().machines
    print(f"{count} machines a file")
    print(
        f"{'inventory':20} {'MB':>6} {'seconds':>8} {'yardstick':>16} {'ratio':>6} {'peak MB':>8}"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "list")
        for name, kind, text in inventories(count):
            path.write_text(text, encoding="utf-8")
            if _ours(path) != count:
                raise SystemExit(f"{name}: not every machine was read")
            ours, theirs = best(partial(_ours, path)), best(partial(_yardstick, path, kind))
            tracemalloc.start()
            _ours(path)
            peak = tracemalloc.get_traced_memory()[1] / 1e6
            tracemalloc.stop()
            size, stick = path.stat().st_size / 1e6, f"{kind} {theirs:.2f} s"
            print(f"{name:20} {size:6.1f} {ours:8.2f} {stick:>16} {ours / theirs:6.1f} {peak:8.1f}")


if __name__ == "__main__":
    main()
