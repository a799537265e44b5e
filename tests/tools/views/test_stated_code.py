"""Builds of torch that the table does not know are read, not assumed; what cannot be is said."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.torch.stated import find_flags, parse_flags
from nvidia_variant_provider.tools.views.model import Wanted
from nvidia_variant_provider.tools.views.service import ViewService
from nvidia_variant_provider.tools.views.stated_code import StatedCode
from nvidia_variant_provider.tools.views.upstream import CudaFamily, Upstream
from tests.tools.views.clients import PIPS, clean_environment, installed, pip_environment, run
from tests.tools.views.machines import machine
from tests.tools.views.stand_in import LINUX, PYTHON, StandIn, main_index, make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from nvidia_variant_provider.tools.views.model import View

TURING = "sm_75 sm_80 sm_86 sm_90 sm_100 sm_120"
# A release after the table's: cu126 has lost Volta, as cu128 did once; cu134 is new.
UNKNOWN = {"cpu": "", "cu126": "sm_80 sm_90", "cu132": TURING, "cu134": f"{TURING} compute_120"}
VERSION = "2.99.0"


def wheel(local: str, flags: str, requires: Sequence[str] = ()) -> tuple[str, bytes]:
    name = f"torch-{VERSION}{local}-{PYTHON}-{LINUX}.whl"
    library = f"ELF\0sm_50 no list\0{flags}\0more\0"
    return name, make_wheel(name, requires, {"torch/lib/libtorch_python.so": library})


def indexes(flags: dict[str, str] | None = None) -> tuple[StandIn, StandIn]:
    """Return both indexes: the releases of the table, and an unknown one."""
    main = main_index()
    name, data = wheel("", "sm_80 sm_90", ["cuda-toolkit==13.4.1; platform_system == 'Linux'"])
    main.add_page("/simple/", "torch", {name: data})
    cuda = StandIn(missing=403)
    known = [(f"torch-2.14.1+{it}-{PYTHON}-{LINUX}.whl", it) for it in ("cpu", "cu126", "cu130")]
    wheels = {name: make_wheel(name) for name, _ in known}
    wheels |= dict(wheel(f"+{label}", text) for label, text in (flags or UNKNOWN).items())
    cuda.add_page("/whl/", "torch", wheels, where="whl/{label}", as_html=True)
    return main, cuda


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[StandIn, StandIn, Path]]:
    main, cuda = indexes()
    with main.serving() as main.address, cuda.serving() as cuda.address:
        yield main, cuda, tmp_path


def view_of(target: str, main: StandIn, cuda: StandIn, code: StatedCode | None) -> View:
    upstream = Upstream(Fetcher({}), [f"{main.address}/simple/"])
    family = CudaFamily(upstream.fetcher, f"{cuda.address}/whl", frozenset({"torch"}))
    service = ViewService(upstream, lambda: Wanted(machine(target)), [family])
    service.code = code
    view = service.view("torch")
    assert view is not None
    return view


def asked_for_wheels(index: StandIn) -> list[str]:
    return sorted({path for path in index.asked if path.endswith(".whl")})


@pytest.mark.parametrize(
    ("target", "newest", "label"),
    [
        # Assumed, cu126 of the unknown release would run on a V100.
        ("v100@580", "2.14.1", "cu126"),
        # The main index's own wheel is cu134 and has no code for Turing; the folder's has.
        ("t4@610", VERSION, "cu134"),
        ("h100@610", VERSION, "cu134"),
        ("h100@550", VERSION, "cu126"),
    ],
)
def test_what_a_wheel_states_decides_about_an_unknown_release(
    world: tuple[StandIn, StandIn, Path], target: str, newest: str, label: str
) -> None:
    main, cuda, folder = world
    view = view_of(target, main, cuda, StatedCode(Fetcher({}), folder))
    best = next(it for it in view.versions if not it.hidden)

    assert (str(best.version), best.best and best.best.label) == (newest, label)
    assert view.warnings == ()


def test_without_reading_the_neighbour_s_code_is_assumed_and_a_warning_says_so(
    world: tuple[StandIn, StandIn, Path],
) -> None:
    main, cuda, _ = world
    view = view_of("v100@580", main, cuda, None)

    assert view.warnings == (
        f"torch {VERSION}: cu126: 70_real runs on 7.0 (device code assumed: as torch 2.14.1 cu126)",
    )


def test_what_was_read_is_kept_and_what_cannot_run_is_not_read(
    world: tuple[StandIn, StandIn, Path],
) -> None:
    main, cuda, folder = world
    code = StatedCode(Fetcher({}), folder)
    view_of("h100@550", main, cuda, code)
    first = asked_for_wheels(cuda)
    cuda.asked.clear()
    view_of("h100@550", main, cuda, code)

    # CUDA 13 needs another driver, the CPU build no reading, and 2.14.1 is in the table.
    assert first == [f"/whl/cu126/torch-{VERSION}+cu126-{PYTHON}-{LINUX}.whl"]
    assert asked_for_wheels(cuda) == []


def test_a_machine_without_a_gpu_reads_nothing(world: tuple[StandIn, StandIn, Path]) -> None:
    main, cuda, folder = world
    view_of("", main, cuda, StatedCode(Fetcher({}), folder))

    assert (asked_for_wheels(main), asked_for_wheels(cuda)) == ([], [])


@pytest.mark.parametrize("fault", ["status", "no list", "no zip"])
def test_a_wheel_that_cannot_be_read_is_assumed_and_the_warning_says_why(
    world: tuple[StandIn, StandIn, Path], fault: str
) -> None:
    main, cuda, folder = world
    name, data = wheel("+cu126", "none")
    path = f"/whl/cu126/{name}"
    if fault == "status":
        cuda.answers[path] = (503, {}, b"later")
    else:
        cuda.bodies[path] = ("application/octet-stream", b"x" * 99 if fault == "no zip" else data)
    view = view_of("h100@550", main, cuda, StatedCode(Fetcher({}), folder))
    (warning,) = view.warnings

    assert "(device code assumed: as torch 2.14.1 cu126; its wheel could not be read: " in warning


def test_a_server_that_hangs_delays_the_page_by_the_budget_alone(
    world: tuple[StandIn, StandIn, Path],
) -> None:
    main, cuda, folder = world
    released = threading.Event()

    class Slow(Fetcher):
        def get_part(self, url: str, wanted: str, limit: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
            released.wait(60)
            return super().get_part(url, wanted, limit)

    view = view_of("h100@550", main, cuda, StatedCode(Slow({}), folder, budget_s=0.2))
    released.set()

    assert "its wheel could not be read within 0.2 s" in view.warnings[0]


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_the_list_is_found_wherever_the_pieces_end(step: int) -> None:
    library = b"\0sm_90 \0sm_75x\0xsm_80\0" + b"sm_75 sm_90a compute_90" + b"\0sm_50\0"
    pieces = [library[at : at + step] for at in range(0, len(library), step)]

    assert find_flags(pieces) == "sm_75 sm_90a compute_90"
    assert [str(it) for it in parse_flags("sm_75 sm_90a compute_90")] == [
        "75_real", "90a_real", "90_virtual",
    ]  # fmt: skip
    assert find_flags([b"\0sm_75", b"sm_80"]) == ""


@pytest.mark.clients
@pytest.mark.skipif(sys.platform != "linux", reason="the stand-in wheels are for Linux")
def test_pip_gets_the_build_of_an_unknown_release_that_its_wheel_states(
    world: tuple[StandIn, StandIn, Path],
) -> None:
    main, cuda, folder = world
    site = folder / "site"
    done = run(
        ["--target", "v100@580", "--cuda-index", f"{cuda.address}/whl"],
        [pip_environment(PIPS[-1]), "-m", "pip", "install", "--target", site, "torch"],
        clean_environment(folder, PIP_INDEX_URL=f"{main.address}/simple/"),
    )

    assert (done.code, installed(site)) == (0, {"torch": "2.14.1+cu126"}), done.output
    assert "assumed" not in done.output
