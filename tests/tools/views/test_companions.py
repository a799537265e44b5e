"""torchvision and torchaudio have the label of the torch they go with; what they lack is said."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tables.torch_builds import LINUX, PAIRS, RELEASES
from nvidia_variant_provider.tables.torch_domains import PROJECTS
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.torch.builds import (
    builds_of,
    find_release,
    index_path,
    pins_torch,
    torch_release_of,
)
from nvidia_variant_provider.tools.views.model import Wanted
from nvidia_variant_provider.tools.views.service import ViewService
from nvidia_variant_provider.tools.views.upstream import CudaFamily, Upstream
from tests.tools.views.clients import PIPS, clean_environment, installed, pip_environment, run
from tests.tools.views.machines import machine
from tests.tools.views.stand_in import LINUX as TAG
from tests.tools.views.stand_in import PYTHON, StandIn, make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nvidia_variant_provider.tools.views.model import View

FAMILY = frozenset({"torch", *PROJECTS})
TARGETS = (
    "k80@470", "gtx-1080-ti@580", "v100@570", "v100@580", "t4@550", "a100@525", "h100@550",
    "h100@580", "rtx-5090@570", "rtx-5090@580",
)  # fmt: skip


def releases() -> Iterator[tuple[str, str, str]]:
    """Yield project, version and torch of everything that the table pairs."""
    for torch in RELEASES:
        yield "torch", torch, torch
    for torch, *companions in PAIRS:
        named = zip(PROJECTS, companions, strict=True)
        yield from ((project, version, torch) for project, version in named if version)


def index_of_all() -> tuple[StandIn, StandIn]:
    """Return the main index and the per-CUDA ones, with every release of the table."""
    main, cuda = StandIn(), StandIn(missing=403)
    by_project: dict[str, tuple[dict[str, bytes], dict[str, bytes]]] = {}
    for project, version, torch in releases():
        ours, theirs = by_project.setdefault(project, ({}, {}))
        requires = (
            [f"torch=={torch}"] if project != "torch" and pins_torch(project, version) else []
        )
        stem = f"{project}-{version}"
        ours[f"{stem}-{PYTHON}-{TAG}.whl"] = make_wheel(f"{stem}-{PYTHON}-{TAG}.whl", requires)
        release = find_release(torch)
        labels = ["cpu", *(index_path(row.cuda) for row in builds_of(release, LINUX))]
        for name in (f"{stem}+{label}-{PYTHON}-{TAG}.whl" for label in labels):
            theirs[name] = make_wheel(name, requires)
    for project, (ours, theirs) in by_project.items():
        main.add_page("/simple/", project, ours)
        cuda.add_page("/whl/", project, theirs, where="whl/{label}", as_html=True)
    return main, cuda


@pytest.fixture(scope="module")
def addresses() -> Iterator[tuple[str, str]]:
    main, cuda = index_of_all()
    with main.serving() as main_url, cuda.serving() as cuda_url:
        yield f"{main_url}/simple/", f"{cuda_url}/whl"


def views_of(addresses: tuple[str, str], target: str, torch: str = "") -> dict[str, View]:
    upstream = Upstream(Fetcher({}), [addresses[0]])
    family = CudaFamily(upstream.fetcher, addresses[1], FAMILY)
    service = ViewService(
        upstream, lambda: Wanted(machine(target), asked={"torch": torch}), [family]
    )
    views = {project: service.view(project) for project in FAMILY}
    return {project: view for project, view in views.items() if view is not None}


def labels_in(view: View) -> dict[str, str]:
    """Return the label of each version that is shown; of the main index's own wheel its CUDA."""
    return {
        str(version.version): version.best.label
        for version in view.versions
        if version.best is not None and version.best.tier.is_gpu and not version.hidden
    }


@pytest.mark.parametrize("target", TARGETS)
def test_every_release_that_pins_its_torch_has_that_torch_s_label(
    addresses: tuple[str, str], target: str
) -> None:
    views = views_of(addresses, target)
    torch = labels_in(views["torch"])
    pairs = [(project, version) for project in PROJECTS for version in labels_in(views[project])]
    pinned = [pair for pair in pairs if pins_torch(*pair)]
    wrong = {
        pair: labels_in(views[pair[0]])[pair[1]]
        for pair in pinned
        if labels_in(views[pair[0]])[pair[1]] != torch[str(torch_release_of(*pair))]
    }

    assert pinned
    assert wrong == {}
    # What is shown of torch is shown of its companions, too: nothing is hidden for its own code.
    assert {torch_release_of(*pair) for pair in pairs if pair[0] == "torchvision"} == {
        row[0] for row in PAIRS if row[0] in torch
    }


@pytest.mark.parametrize(
    ("target", "torch", "label", "warning"),
    [
        # Alone cu129 would be the best of torchaudio 2.11.0, and fail beside cu126.
        ("h100@550", "", "cu126", ""),
        ("v100@580", "", "cu126", ""),
        ("rtx-5090@570", "", "cu129", "its own kernels have no device code for 12.0"),
        ("h100@580", "", "cu130", "ask for torch==2.11.0 with it, which is cu130, too"),
        ("h100@580", "==2.11.0", "cu130", ""),
        ("h100@550", "==2.11.0", "cu129", ""),
        ("h100@550", "<2.10", "cu129", ""),
    ],
)
def test_the_last_torchaudio_has_the_cuda_of_the_torch_that_is_installed(
    addresses: tuple[str, str], target: str, torch: str, label: str, warning: str
) -> None:
    view = views_of(addresses, target, torch)["torchaudio"]

    assert labels_in(view)["2.11.0"] == label
    assert [warning in line for line in view.warnings] == ([True] if warning else [])


def test_a_companion_without_code_of_its_own_is_shown_with_a_warning(
    addresses: tuple[str, str],
) -> None:
    view = views_of(addresses, "rtx-5090@570")["torchvision"]

    assert labels_in(view)["0.28.0"] == "cu129"
    assert " ".join(view.warnings) == (
        "torchvision 0.28.0: cu129: its own kernels have no device code for 12.0: "
        "the build has 50 60 70 75 80 86 90"
    )


@pytest.mark.clients
@pytest.mark.skipif(sys.platform != "linux", reason="the stand-in wheels are for Linux")
@pytest.mark.parametrize(
    ("files", "torch", "audio"),
    [
        ({"all.txt": "torch\ntorchaudio\n"}, "2.14.1+cu126", "2.11.0+cu126"),
        (
            {"all.txt": "torchaudio\n-r more/torch.txt\n", "more/torch.txt": "torch==2.11.0\n"},
            "2.11.0+cu129",
            "2.11.0+cu129",
        ),
        (
            {"all.txt": "torch\ntorchaudio\n-c limits.txt\n", "limits.txt": "torch==2.11.0+cu128"},
            "2.11.0+cu128",
            "2.11.0+cu128",
        ),
    ],
    ids=["any", "pinned", "constrained"],
)
def test_pip_gets_torch_and_torchaudio_of_one_cuda(
    addresses: tuple[str, str], tmp_path: Path, files: dict[str, str], torch: str, audio: str
) -> None:
    main, cuda = addresses
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    words = ["-m", "pip", "install", "--target", str(tmp_path / "site"), "-r", "all.txt"]
    done = run(
        ["--target", "h100@550", "--cuda-index", cuda],
        [pip_environment(PIPS[-1]), *words],
        clean_environment(tmp_path, PIP_INDEX_URL=main),
        tmp_path,
    )

    assert (done.code, installed(tmp_path / "site")) == (
        0,
        {"torch": torch, "torchaudio": audio},
    ), done.output
