"""Real installers on every kind of index, as every kind of machine: the build that fits, whole.

Each row ends in the wheel that ``explain`` names, with what it requires. A slice runs in the gate,
all of it in ``.ci/run deep``.
"""

from __future__ import annotations

import contextlib
import re
import sys
from typing import TYPE_CHECKING, Final

import pytest

from examples.torch.environment import PROJECT
from tests.tools.views.ways import CROSS, CROSS_LOCKS, INSTALLERS
from tests.tools.views.worlds import (
    ARM_MACHINES,
    CUDA,
    NEWER,
    NO_GPU,
    PLAIN,
    VARIANTS,
    X86_MACHINES,
    Ended,
    Indexes,
    World,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the stand-in wheels are for Linux")

# What explain names, by kind of index: the label of torch, the version of torchvision.
NAMED: Final = {
    NO_GPU: ("null", "2.15.0+cpu", "0.30.0+cpu"),
    "gtx-1080-ti@580": ("cuda12.6", "2.14.1+cu126", "0.29.1+cu126"),
    "v100@570": ("cuda12.6", "2.14.1+cu126", "0.29.1+cu126"),
    "h100@550": ("cuda12.6", "2.14.1+cu126", "0.29.1+cu126"),
    "rtx-5090@570": ("null", "2.13.0+cu129", "0.28.0+cu129"),
    "rtx-5090@580": ("cuda13.0", "2.15.0", "0.30.0"),
    "a10+t4@580": ("cuda13.0", "2.15.0", "0.30.0"),
    NEWER: ("cuda13.0", "2.15.0", "0.30.0"),
    "gh200@550": ("cuda12.6", "2.14.1+cu126", "0.29.1+cu126"),
    "gh200@580": ("cuda13.0", "2.15.0", "0.30.0"),
    "gb200@580": ("cuda13.0", "2.15.0", "0.30.0"),
    "dgx-spark@580": ("cuda13.0", "2.15.0", "0.30.0"),
}
LIBRARIES: Final = {
    "null": {},
    "2.15.0+cpu": {},
    "cuda12.6": {"nvidia_cublas_cu12": "1.126"},
    "cuda13.0": {"nvidia_cublas_cu13": "1.130"},
    "2.13.0+cu129": {"nvidia_cublas_cu12": "1.129"},
    "2.14.1+cu126": {"nvidia_cublas_cu12": "1.126"},
    "2.15.0": {"nvidia_cublas_cu13": "1.132"},
}
# pip and uv choose; what starts one of them is tried on fewer machines.
FEW: Final = (NO_GPU, "v100@570", "rtx-5090@580")
GATE: Final = {
    ("pip 26.3", CUDA, "gtx-1080-ti@580"),
    ("pip 26.3", CUDA, NO_GPU),
    ("pip 26.3", CUDA, "gb200@580"),
    ("pip 26.3", VARIANTS, "v100@570"),
    ("uv pip", CUDA, "rtx-5090@570"),
    ("uv pip", VARIANTS, "gh200@580"),
    ("uv pip", PLAIN, "v100@570"),
    ("uv project", CUDA, "gh200@550"),
}


def _machines(installer: str, kind: str) -> tuple[str, ...]:
    """Return the machines that an installer is tried as on a kind of index."""
    crosses = installer in {*CROSS, *CROSS_LOCKS}
    if kind == PLAIN:
        return (NO_GPU, "v100@570", *(("gb200@580",) if crosses else ()))
    chooses = installer in CROSS or kind == CUDA
    x86 = X86_MACHINES if chooses and "with" not in installer else FEW
    return (*x86, *(ARM_MACHINES if crosses else ()))


ROWS: Final = [
    (installer, kind, target)
    for installer in INSTALLERS
    for kind in (PLAIN, VARIANTS, CUDA)
    for target in _machines(installer, kind)
]


@pytest.fixture(scope="module")
def indexes_of(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], Indexes]]:
    started: dict[str, Indexes] = {}
    with contextlib.ExitStack() as stack:

        def of(kind: str) -> Indexes:
            if kind not in started:
                started[kind] = Indexes(kind, tmp_path_factory.mktemp(kind), stack)
            return started[kind]

        yield of


@pytest.mark.parametrize("target", NAMED)
def test_explain_names_the_build_that_fits(
    indexes_of: Callable[[str], Indexes], target: str
) -> None:
    label, torch, vision = NAMED[target]
    platform = "aarch64" if target in ARM_MACHINES else "x86_64"
    stem = f"cp310-abi3-manylinux_2_28_{platform}"
    others = {"typing_extensions": "4.12.0"}

    assert indexes_of(VARIANTS).named(target, locked=False) == Ended(
        f"torch-2.16.0-{stem}-{label}.whl", {"torch": "2.16.0", **others, **LIBRARIES[label]}
    )
    assert indexes_of(CUDA).named(target, locked=False) == Ended(
        f"torch-{torch}-{stem}.whl",
        {"torch": torch, "torchvision": vision, **others, **LIBRARIES[torch]},
    )
    assert indexes_of(PLAIN).named(target, locked=False) == Ended(
        f"torch-2.15.0-{stem}.whl",
        {"torch": "2.15.0", "torchvision": "0.30.0", **others, **LIBRARIES["2.15.0"]},
    )


@pytest.mark.clients
@pytest.mark.parametrize(
    ("installer", "kind", "target"),
    [
        pytest.param(*row, marks=[] if row in GATE else [pytest.mark.deep], id=" ".join(row))
        for row in ROWS
    ],
)
def test_an_installer_ends_in_the_build_that_explain_names(
    indexes_of: Callable[[str], Indexes], tmp_path: Path, installer: str, kind: str, target: str
) -> None:
    indexes = indexes_of(kind)
    ended = INSTALLERS[installer](World(tmp_path, indexes, target))
    locked = target in ARM_MACHINES and installer in CROSS_LOCKS

    assert ended == indexes.named(target, locked=locked)


def test_the_page_of_installers_says_what_was_tried() -> None:
    page = (PROJECT / "docs" / "installers.md").read_text("utf-8")
    section = page.partition("## Through a view")[2].partition("## ")[0]

    assert set(ROWS) >= GATE
    assert {*re.findall(r"`([\w+-]+@\d+)`", section), NO_GPU} == set(NAMED)
    assert f"{len(ROWS)} in all" in page
