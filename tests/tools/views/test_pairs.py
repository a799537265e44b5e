"""A companion of torch goes with the torch that it requires, that is asked for, or that stays."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.releases.pages import PageFile
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.views.companions import Beside, beside_torch
from nvidia_variant_provider.tools.views.model import Pair, Source, Wanted
from nvidia_variant_provider.tools.views.selecting import make_view
from nvidia_variant_provider.tools.views.service import ViewService
from nvidia_variant_provider.tools.views.stated_code import StatedCode
from nvidia_variant_provider.tools.views.stated_pairs import StatedPairs, required_torch
from nvidia_variant_provider.tools.views.upstream import CudaFamily, Upstream
from tests.tools.views.machines import machine
from tests.tools.views.stand_in import LINUX, PYTHON, StandIn, make_wheel
from tests.tools.views.test_stated_code import UNKNOWN, VERSION, indexes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from nvidia_variant_provider.tools.views.model import View

# Of the table 0.29.1, which goes with torch 2.14.1 and newer; unknown is 0.99.0.
REQUIRES = {"0.29.1": ["torch"], "0.99.0": [f"torch=={VERSION}"]}
LABELS = {"0.29.1": ("cpu", "cu126", "cu130"), "0.99.0": tuple(UNKNOWN)}


def name_of(version: str, label: str = "") -> str:
    return f"torchvision-{version}{label and f'+{label}'}-{PYTHON}-{LINUX}.whl"


def add_vision(main: StandIn, cuda: StandIn, *, metadata: bool = True) -> None:
    ours = {name_of(it): make_wheel(name_of(it), REQUIRES[it]) for it in REQUIRES}
    theirs = {
        name_of(version, label): make_wheel(name_of(version, label), REQUIRES[version])
        for version in REQUIRES
        for label in LABELS[version]
    }
    main.add_page("/simple/", "torchvision", ours, metadata=metadata)
    cuda.add_page(
        "/whl/", "torchvision", theirs, where="whl/{label}", as_html=True, metadata=metadata
    )


@pytest.fixture(params=[True, False], ids=["beside the wheel", "inside"])
def world(request: pytest.FixtureRequest) -> Iterator[tuple[StandIn, StandIn]]:
    main, cuda = indexes()
    add_vision(main, cuda, metadata=request.param)
    with main.serving() as main.address, cuda.serving() as cuda.address:
        yield main, cuda


def service_of(world: tuple[StandIn, StandIn], wanted: Wanted, folder: Path) -> ViewService:
    main, cuda = world
    upstream = Upstream(Fetcher({}), [f"{main.address}/simple/"])
    projects = frozenset({"torch", "torchvision"})
    family = CudaFamily(upstream.fetcher, f"{cuda.address}/whl", projects)
    service = ViewService(upstream, lambda: wanted, [family])
    service.code = StatedCode(upstream.fetcher, folder)
    return service


def shown(view: View | None) -> list[tuple[str, str]]:
    """Return what installers are offered, newest first, with the labels."""
    assert view is not None
    return [(str(it.version), it.best.label) for it in view.offered if it.best]


@pytest.mark.parametrize(
    ("target", "offered"),
    [
        # The unknown torch has lost Volta on cu126, and so has the torchvision that requires it.
        ("v100@580", [("0.29.1", "cu126")]),
        ("h100@550", [("0.99.0", "cu126"), ("0.29.1", "cu126")]),
        # cu134 as torch's wheel states; 0.29.1 goes with 2.14.1, for which cu130 is the newest.
        ("h100@610", [("0.99.0", "cu134"), ("0.29.1", "cu130")]),
    ],
)
def test_an_unknown_release_is_judged_by_the_torch_that_it_requires(
    world: tuple[StandIn, StandIn], tmp_path: Path, target: str, offered: list[tuple[str, str]]
) -> None:
    service = service_of(world, Wanted(machine(target)), tmp_path)
    view = service.view("torchvision")

    assert shown(view) == offered
    assert service.log.warnings == {}


def test_what_a_release_requires_is_asked_for_once(
    world: tuple[StandIn, StandIn], tmp_path: Path
) -> None:
    service = service_of(world, Wanted(machine("h100@550")), tmp_path)
    service.view("torchvision")
    first = asked_for_vision(world)
    service.view("torchvision")

    assert first == [f"/files/{name_of('0.99.0')}"]
    assert asked_for_vision(world) == first


def asked_for_vision(world: tuple[StandIn, StandIn]) -> list[str]:
    asked = [path.removesuffix(".metadata") for index in world for path in index.asked]
    return sorted({path for path in asked if "torchvision-" in path})


def test_a_server_that_hangs_delays_a_page_by_the_budget_alone() -> None:
    released = threading.Event()

    class Slow(Fetcher):
        def get(self, url: str, accept: str, limit: int = 0):  # type: ignore[no-untyped-def]  # noqa: ANN202, ARG002
            released.wait(60)
            raise UpstreamError("late")

    file = PageFile(name_of("0.99.0"), "http://127.0.0.1:9/x.whl", core_metadata="")
    read = StatedPairs(Slow({}), budget_s=0.1).read(Source("torchvision", (file,)))
    released.set()

    assert read == {}


@pytest.mark.parametrize(
    ("requires", "pair"),
    [
        (["numpy", "torch==2.16.0"], Pair("2.16.0", is_exact=True)),
        (["torch (==2.16.0+cu130)"], Pair("2.16.0", is_exact=True)),
        (["torch>=2.16.1,<3"], Pair("2.16.1")),
        (["torch"], Pair()),
        (["numpy", "torch-not==1", "===?"], Pair()),
    ],
)
def test_metadata_says_which_torch_is_required(requires: Sequence[str], pair: Pair) -> None:
    metadata = "Metadata-Version: 2.1\nName: x\nVersion: 1\n"
    lines = "".join(f"Requires-Dist: {it}\n" for it in requires)

    assert required_torch(f"{metadata}{lines}\n".encode()) == pair


def audio(target: str, labels: dict[str, str], **wanted: str) -> View:
    """Return the view of the last torchaudio, which goes with every torch from 2.11.0 on."""
    files = {
        label: (PageFile(name, f"https://x.example/{name}"),)
        for label in ("cpu", "cu126", "cu128", "cu129", "cu130")
        for name in [f"torchaudio-2.11.0+{label}-{PYTHON}-{LINUX}.whl"]
    }
    source = Source("torchaudio", (), files, is_cuda_project=True, torch_labels=labels)
    return make_view(source, Wanted(machine(target), asked=wanted))


def test_the_newest_companion_goes_with_the_newest_torch_and_an_older_one_with_its_own() -> None:
    versions = ["0.28.0", "0.29.1", "0.99.0"]
    files = {
        label: tuple(
            PageFile(name, f"https://x.example/{name}")
            for name in (name_of(version, label) for version in versions)
        )
        for label in ("cu126", "cu130")
    }
    labels = {"2.99.0": "cu130", "2.15.0": "cu130", "2.14.1": "cu126", "2.13.0": "cu126"}
    source = Source("torchvision", (), files, is_cuda_project=True, torch_labels=labels,
                    pairs={"0.99.0": Pair("2.99.0")})  # fmt: skip
    every = make_view(source, Wanted(machine("h100@580")))
    pinned = make_view(source, Wanted(machine("h100@580"), asked={"torchvision": "==0.28.0"}))

    # 0.29.1 is taken for torch 2.15.0, as for that torch no newer torchvision was made.
    assert shown(every) == [("0.99.0", "cu130"), ("0.29.1", "cu130"), ("0.28.0", "cu126")]
    assert shown(pinned)[2] == ("0.28.0", "cu126")


@pytest.mark.parametrize(
    ("asked", "label", "warning"),
    [
        ({}, "cu130", ""),
        ({"torchaudio": "==2.11.0+cu128"}, "cu128", "fails when it is imported beside it"),
        ({"torchaudio": "==2.11.0+cpu"}, "cpu", "no build for this GPU: the CPU build"),
        # No such build: nothing is shown in its place.
        ({"torchaudio": "==2.11.0+cu118"}, "cu130", ""),
    ],
)
def test_a_build_that_is_asked_for_by_its_label_is_shown(
    asked: dict[str, str], label: str, warning: str
) -> None:
    view = audio("h100@580", {"2.14.1": "cu130"}, **asked)

    assert shown(view) == [("2.11.0", label)]
    assert [warning in it for it in view.warnings] == ([True] if warning else [])


def test_beside_a_cpu_build_of_torch_its_companion_is_one_too() -> None:
    view = audio("h100@580", {"2.14.1": "cpu"})

    assert shown(view) == [("2.11.0", "cpu")]
    assert view.warnings == ()


@pytest.mark.parametrize(
    ("asked", "installed", "offered"),
    [
        ("", "", "cu130"),
        ("", "2.14.1+cu126", "cu126"),
        ("==2.14.1", "2.14.1+cu126", "cu126"),
        # It is replaced, as it is not what is asked for.
        ("==2.14.1", "2.13.0+cu126", "cu130"),
        ("==2.14.1+cu126", "", "cu126"),
        ("", "no version", "cu130"),
    ],
)
def test_what_is_installed_counts_if_it_may_stay(
    world: tuple[StandIn, StandIn], tmp_path: Path, asked: str, installed: str, offered: str
) -> None:
    wanted = Wanted(machine("h100@610"), asked={"torch": asked}, installed_torch=installed)
    view = service_of(world, wanted, tmp_path).view("torchvision")

    assert dict(shown(view))["0.29.1"] == offered


def test_an_old_version_that_is_not_known_goes_with_the_torch_of_the_next_newer_one() -> None:
    # 0.15.0 was withdrawn, and the table does not have it; 0.15.1 requires torch 2.0.0.
    newer, older = Version("0.15.1"), Version("0.15.0")
    labels = {"2.10.0": "cu128", "2.0.0": "cu117"}
    source = Source("torchvision", (), is_cuda_project=True, torch_labels=labels)

    goes_with = beside_torch(source, [newer, older], "")

    assert goes_with == {
        newer: Beside("2.0.0", "cu117", "2.0.0"),
        older: Beside("2.0.0", "cu117"),
    }


@pytest.mark.parametrize(("asked", "label"), [("", "cu132"), ("==2.14.1", "cu132")])
def test_a_release_that_requires_no_exact_torch_was_built_with_the_newest_of_its_day(
    asked: str, label: str
) -> None:
    # As 0.29.2: it requires torch>=2.14.0, and its own wheel is for CUDA 13.2 as that of 2.15.0.
    file = PageFile(name_of("0.99.0"), "https://x.example/x.whl")
    source = Source(
        "torchvision",
        (file,),
        is_cuda_project=True,
        torch_labels={"2.14.1": "cu130"} if asked else {"2.15.0": "cu132", "2.14.1": "cu130"},
        pairs={"0.99.0": Pair("2.14.0")},
        torch_releases=("2.15.0", "2.14.1", "2.14.0"),
    )

    assert shown(make_view(source, Wanted(machine("h100@580"), asked={"torch": asked}))) == [
        ("0.99.0", label)
    ]
