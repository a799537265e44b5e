"""Cost of coverage: a large release and a large fleet, and asking variantlib once a machine.

Both sides run in this process, on the same machines, one after the other; the ratio is of this
run. variantlib's ordering alone is timed, without starting its plugins: that is its best case.
``python -m benchmarks.coverage [--variants 1000] [--records 100000] [--sample 5]``
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from nvidia_variant_provider.rules import decide
from nvidia_variant_provider.tools.coverage import Partition, Release, cover, find, read, tally
from nvidia_variant_provider.tools.coverage.mirror import smallest
from nvidia_variant_provider.tools.demo.wheels import release_metadata
from tests.test_ordering import order_of_variantlib

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

BOUNDS = ("11.0", "11.8", "12.0", "12.4", "12.6", "12.8", "12.9", "13.0", "13.2")
ARCHS = (
    "50_real", "60_real", "70_real", "75_real", "80_real", "86_real", "89_real", "90_real",
    "90a_real", "100_real", "100f_real", "103_real", "120_real", "80_virtual", "120_virtual",
)  # fmt: skip
DEVICES = (
    ("NVIDIA-H100-80GB-HBM3", "9", "0"), ("NVIDIA-A100-SXM4-80GB", "8", "0"),
    ("Tesla-T4", "7", "5"), ("NVIDIA-L40S", "8", "9"), ("Tesla-V100-SXM2-32GB", "7", "0"),
    ("NVIDIA-B200", "10", "0"), ("NVIDIA-A10G", "8", "6"), ("NVIDIA-L4", "8", "9"),
)  # fmt: skip
DRIVERS = (
    ("535.104.12", "12.2"), ("550.54.15", "12.4"), ("570.133.20", "12.8"), ("580.65.06", "13.0"),
    ("580.95.05", "13.0"), ("590.48.01", "13.1"), ("595.58.03", "13.2"),
)  # fmt: skip


def make_release(count: int) -> Release:
    """Return a release with variants that all state something else."""
    source = Random(4)  # noqa: S311 - repeatable, not secret
    variants: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {"null": {}}
    variants |= {
        f"build{number}": {
            "nvidia": {
                "cuda_version_lower_bound": (source.choice(BOUNDS),),
                "sm_arch": tuple(sorted(source.sample(ARCHS, source.randint(1, 9)))),
            }
        }
        for number in range(count - 1)
    }
    return Release("large", "1.0", "made", None, release_metadata(variants))


def write_nodes(path: Path, count: int) -> None:
    """Write what ``kubectl get nodes -o json`` prints of a cluster."""
    source = Random(5)  # noqa: S311 - repeatable, not secret
    with path.open("w", encoding="utf-8") as file:
        file.write('{"apiVersion": "v1", "items": [\n')
        for number in range(count):
            file.write((",\n" if number else "") + json.dumps(_node(source, number)))
        file.write('\n], "kind": "List"}\n')


def _node(source: Random, number: int) -> dict[str, object]:
    product, major, minor = source.choice(DEVICES)
    driver, cuda = source.choice(DRIVERS)
    labels = {
        "kubernetes.io/arch": source.choice(("amd64", "amd64", "arm64")),
        "kubernetes.io/os": "linux",
        "nvidia.com/gpu.product": product,
        "nvidia.com/gpu.compute.major": major,
        "nvidia.com/gpu.compute.minor": minor,
        "nvidia.com/cuda.driver-version.full": driver,
        "nvidia.com/cuda.runtime-version.full": cuda,
    }
    labels |= {f"example.com/label-{index}": f"value-{number}" for index in range(20)}
    return {"metadata": {"name": f"node-{number:06}", "labels": labels}, "status": {}}


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return how long a piece of work took, in seconds, and its result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", type=int, default=1000)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=5, help="machines variantlib is asked for")
    args = parser.parse_args()
    release = make_release(args.variants)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "nodes.json")
        write_nodes(path, args.records)
        size = path.stat().st_size / 1e6
        reading, fleet = timed(lambda: tally(read(Partition(str(path)))))
    covering, coverage = timed(lambda: cover(release, fleet))
    finding, found = timed(lambda: find(coverage))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    total = reading + covering + finding
    print(f"{args.variants} variants x {args.records} records ({size:.0f} MB of JSON)")
    print(f"  kinds {len(fleet.groups)}, problems {len(found)}, mirror {len(smallest([coverage]))}")
    print(f"  read {reading:.2f} s, matrix {covering:.2f} s, problems {finding:.2f} s")
    print(f"  all {total:.2f} s, peak memory of the process {memory:.0f} MB")
    rows = Random(6).sample(coverage.rows, min(args.sample, len(coverage.rows)))  # noqa: S311
    asked = 0.0
    for row in rows:
        offers = {"nvidia": list(decide(row.kind.machine).features)}
        spent, order = timed(
            lambda offers=offers: order_of_variantlib(  # type: ignore[misc]
                release.strict.variants, ("nvidia",), offers
            )
        )
        asked += spent
        if order != row.order:
            raise SystemExit(f"variantlib orders differently on {row.kind}")
    each = asked / len(rows)
    whole = each * args.records
    print(f"  variantlib: {each:.3f} s a machine ({len(rows)} asked, all with our order)")
    print(f"  once a record that is {whole:.0f} s: {whole / total:.0f} times as long")


if __name__ == "__main__":
    main()
