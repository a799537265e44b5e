"""Every fault of an index, as people meet it: what pip and uv print, and ``run`` after them.

Each case ends with a code that is not 0, the address at fault and what to do; and leaves no
process, no file, and no secret in what was printed or logged.
"""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from examples.torch.clients import uv_executable
from tests.tools.views.clients import (
    PIPS,
    clean_environment,
    installed,
    new_environment,
    pip_environment,
)
from tests.tools.views.faulty import (
    CHANGED,
    CUT,
    LISTED,
    LOGIN,
    NETWORK,
    PAGES,
    WRONG_LOGIN,
    Fault,
    answer,
    cut,
    endless,
    silent,
)
from tests.tools.views.stand_in import StandIn, cuda_index, main_index, make_wheel, variant_index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.tools.views.stand_in import Act

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(sys.platform != "linux", reason="asks /proc; the wheels are for Linux"),
]
NEWEST: Final = PIPS[-1]
OLDEST: Final = PIPS[0]
TOOLS: Final = (NEWEST, OLDEST, "uv")
PASSWORD: Final = "hunter2"  # noqa: S105 - of the test's own server
WHEEL: Final = "demo-1.0-py3-none-any.whl"
PAGE: Final = "/simple/demo/"
FILE: Final = f"/files/{WHEEL}"
# Installers give up after seconds; what they wait for is held to its own limits elsewhere.
IMPATIENT: Final = {
    "PIP_DEFAULT_TIMEOUT": "3", "PIP_RETRIES": "1",
    "UV_HTTP_TIMEOUT": "3", "UV_HTTP_CONNECT_TIMEOUT": "3", "UV_HTTP_RETRIES": "1",
}  # fmt: skip
# So long that only something that hangs reaches it.
HANGS_S: Final = 300


class Ended(NamedTuple):
    """How a command ended, and what is there afterwards."""

    code: int
    output: str
    installed: Mapping[str, str]
    left: Sequence[str]


def command_of(tool: str, folder: Path, words: Sequence[str]) -> list[str]:
    if tool == "uv":
        python = new_environment(folder / "site")
        return [str(uv_executable()), "pip", "install", "--python", str(python), *words]
    python, log = pip_environment(tool), str(folder / "pip.log")
    site = str(folder / "site")
    return [str(python), "-m", "pip", "--log", log, "install", "--target", site, *words]


def through_run(
    tool: str, folder: Path, index: str, *words: str, options: Sequence[str] = (), **environ: str
) -> Ended:
    """Install through a view, in a session of its own, so that what is left of it is known."""
    (folder / "tmp").mkdir()
    settings = clean_environment(
        folder, PIP_INDEX_URL=index, UV_DEFAULT_INDEX=index, TMPDIR=str(folder / "tmp"),
        **{**IMPATIENT, **environ},
    )  # fmt: skip
    ours = [sys.executable, "-m", "nvidia_variant_provider", "run", *options, "--"]
    with subprocess.Popen(
        [*ours, *command_of(tool, folder, words)],
        env=settings,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        output, _ = process.communicate(timeout=HANGS_S)
    log = folder / "pip.log"
    assert PASSWORD not in output + (log.read_text() if log.exists() else "")
    return Ended(process.returncode, output, installed(folder / "site"), left(folder, process.pid))


def left(folder: Path, session: int) -> list[str]:
    """Return the processes of a session, and files but the installer's own and the secret."""
    temporary = [str(path.relative_to(folder)) for path in (folder / "tmp").rglob("*")]
    ours = folder / "cache" / "nvidia-variant-provider"
    kept = [path.name for path in ours.rglob("*") if path.is_file()]
    return [*temporary, *kept, *(str(pid) for pid in in_session(session))]


def in_session(session: int) -> list[int]:
    """Return the processes of a session that run; nobody may wait for those that have ended."""
    pids = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text("ascii", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            pids.append(int(path.parent.name))
    return pids


def demo_index(login: bool = True) -> StandIn:  # noqa: FBT001, FBT002 - a parameter of tests
    index = StandIn(login=f"me:{PASSWORD}" if login else "")
    index.add_page("/simple/", "demo", {WHEEL: make_wheel(WHEEL)})
    return index


def address(main: str, index: StandIn) -> str:
    """Return the address of an index, with its credentials if it wants any."""
    start = main.replace("//", f"//{index.login}@") if index.login else main
    return f"{start}/simple/"


def hinted(output: str, hint: str) -> bool:
    return any(line.startswith(f"hint: {hint}") for line in output.splitlines())


SLOW: Final = {
    "silent": Fault(silent, "no answer in ", NETWORK, is_lasting=False),
    "endless": Fault(endless, "more than 67108864 bytes", "check the address of the index"),
}


# What runs in the gate; the rest is for `.ci/run deep`.
QUICK: Final = {("denied", "uv"), ("cut", "uv"), ("malformed", NEWEST)}


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        pytest.param(*case, marks=[] if case in QUICK else [pytest.mark.deep])
        for case in product([*PAGES, *SLOW], TOOLS)
    ],
)
def test_a_fault_of_a_page(tmp_path: Path, tool: str, name: str) -> None:
    fault = (PAGES | SLOW)[name]
    index = demo_index()
    index.acts[PAGE] = fault.act
    # An endless page takes a while until it is too large.
    patient = {"PIP_DEFAULT_TIMEOUT": "60", "UV_HTTP_TIMEOUT": "60"} if name == "endless" else {}
    with index.serving() as main:
        done = through_run(tool, tmp_path, address(main, index), "demo", **patient)

    assert (done.code != 0, done.installed, done.left) == (True, {}, ["secret"]), done.output
    assert fault.words in done.output
    assert hinted(done.output, fault.hint), done.output
    # uv asks twice whatever the answer is; a redirect is followed in a circle for a while.
    assert not fault.is_lasting or name == "circle" or len(index.asked) <= 2, index.asked


@pytest.mark.deep
@pytest.mark.parametrize("tool", TOOLS)
def test_an_index_that_is_down(tmp_path: Path, tool: str) -> None:
    done = through_run(tool, tmp_path, f"http://me:{PASSWORD}@127.0.0.1:9/simple/", "demo")

    assert (done.code != 0, done.left) == (True, ["secret"]), done.output
    assert "warning: demo: http://127.0.0.1:9/simple/demo/: [Errno 111] Connection refused" in (
        done.output
    )
    assert hinted(done.output, NETWORK)


@pytest.mark.deep
@pytest.mark.parametrize("tool", TOOLS)
def test_a_wrong_password_and_none(tmp_path: Path, tool: str) -> None:
    index = demo_index()
    index.login = "me:another"
    with index.serving() as main:
        for name, url, hint in (
            ("wrong", main.replace("//", f"//me:{PASSWORD}@"), WRONG_LOGIN),
            ("none", main, LOGIN),
            ("netrc", main, WRONG_LOGIN),
        ):
            (tmp_path / name).mkdir()
            if name == "netrc":
                entry = f"machine 127.0.0.1 login me password {PASSWORD}\n"
                (tmp_path / name / ".netrc").write_text(entry)
            done = through_run(tool, tmp_path / name, f"{url}/simple/", "demo")

            assert (done.code != 0, done.left) == (True, ["secret"]), done.output
            assert f"demo: {main}/simple/demo/: 401 Unauthorized" in done.output
            assert hinted(done.output, hint), done.output


FILES: Final[dict[str, tuple[Act, str]]] = {
    "gone": (answer(404), "404"),
    "broken": (answer(500), "500"),
    "cut": (cut, r"2 bytes|end of file|timed out|not enough bytes|DO NOT MATCH THE HASHES"),
    "silent": (silent, r"no answer in|[Tt]imed out"),
    "another": (answer(200, {}, make_wheel(WHEEL, ["other"])), r"[Hh]ash|HASH"),
}


@pytest.mark.deep
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("login", [True, False], ids=["handed on", "redirected"])
@pytest.mark.parametrize("name", FILES)
def test_a_fault_of_a_file(tmp_path: Path, tool: str, *, login: bool, name: str) -> None:
    act, words = FILES[name]
    index = demo_index(login)
    index.acts[FILE] = act
    with index.serving() as main:
        done = through_run(tool, tmp_path, address(main, index), "demo")

    assert (done.code != 0, done.installed, done.left) == (True, {}, ["secret"]), done.output
    assert re.search(words, done.output), done.output
    # What is not handed on is between the installer and the index. pip names no file by its hash.
    named = f"{main}{FILE}" if login else f"{FILE}|demo==1.0"
    assert name == "another" or re.search(named, done.output), done.output


OTHER: Final = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n\nanother"
# What reads it: pip from 23.2 on, and uv.
METADATA: Final[dict[str, tuple[Act, str, set[str]]]] = {
    "gone": (answer(404), "404", {NEWEST, "uv"}),
    "cut": (cut, r"2 bytes|end of file|not enough bytes", {NEWEST, "uv"}),
    "another": (answer(200, {}, OTHER), "[Hh]ash|HASH", {NEWEST, "uv"}),
    "malformed": (answer(200, {}, b"\x00"), "metadata|hash|HASH", {NEWEST, "uv"}),
}  # fmt: skip


@pytest.mark.deep
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("login", [True, False], ids=["handed on", "redirected"])
@pytest.mark.parametrize("name", METADATA)
def test_a_fault_of_metadata(tmp_path: Path, tool: str, *, login: bool, name: str) -> None:
    act, words, readers = METADATA[name]
    index = demo_index(login)
    index.acts[f"{FILE}.metadata"] = act
    with index.serving() as main:
        done = through_run(tool, tmp_path, address(main, index), "demo")
    fails = tool in readers

    assert (done.code != 0, bool(done.installed), done.left) == (fails, not fails, ["secret"]), (
        done.output
    )
    assert not fails or re.search(words, done.output), done.output


BAKED: Final = re.compile(r"-cuda12\.6\.whl$")
# Of a wheel that is written anew, and of its metadata: the act, what is said, the hint.
WRITTEN: Final = {
    "gone": (answer(404), "404 Not Found", LISTED),
    "denied": (answer(401), "401 Unauthorized", LOGIN),
    "cut": (cut, "ended after 2 bytes of 99999", CUT),
    "endless": (endless, "has more bytes than its page states", CHANGED),
    "another": (answer(200, {}, b"PK"), "has another hash than its page states", CHANGED),
}


@pytest.mark.deep
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("name", WRITTEN)
def test_a_fault_of_a_wheel_that_is_written_anew(tmp_path: Path, tool: str, name: str) -> None:
    act, words, hint = WRITTEN[name]
    index = variant_index()
    index.acts[next(path for path in index.bodies if BAKED.search(path))] = act
    with index.serving() as main:
        done = through_run(
            tool, tmp_path, address(main, index), "torch", options=["--target", "h100@550"]
        )

    assert (done.code != 0, done.installed, done.left) == (True, {}, ["secret"]), done.output
    assert re.search(f"^warning: .*{words}", done.output, re.MULTILINE), done.output
    assert hinted(done.output, hint), done.output


@pytest.mark.deep
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("name", ["gone", "cut", "another"])
def test_a_variant_whose_metadata_has_a_fault_is_left_out_and_said(
    tmp_path: Path, tool: str, name: str
) -> None:
    act, words, _ = WRITTEN[name]
    index = variant_index()
    wheel = next(path for path in index.bodies if BAKED.search(path))
    index.acts[f"{wheel}.metadata"] = act
    with index.serving() as main:
        done = through_run(
            tool, tmp_path, address(main, index), "torch", options=["--target", "h100@550"]
        )

    assert (done.code != 0, done.installed, done.left) == (True, {}, ["secret"]), done.output
    assert re.search(f"^warning: .*is left out: .*{words}", done.output, re.MULTILINE), done.output


@pytest.mark.deep
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("body", [b"{", b'{"variants": 3}', b""], ids=["cut", "number", "empty"])
def test_metadata_of_variants_that_is_malformed(tmp_path: Path, tool: str, body: bytes) -> None:
    index = variant_index()
    path = next(path for path in index.bodies if path.endswith("-variants.json"))
    index.acts[path] = answer(200, {}, body)
    with index.serving() as main:
        done = through_run(
            tool, tmp_path, address(main, index), "torch", options=["--target", "h100@550"]
        )

    assert done.left == ["secret"]
    assert re.search(r"^warning: .*torch-2\.16\.0-variants\.json", done.output, re.MULTILINE), (
        done.output
    )


FAMILIES: Final = {
    "denied": PAGES["denied"],
    "broken": PAGES["broken"],
    "cut": PAGES["cut"],
    "malformed": PAGES["malformed"],
    "gone": Fault(answer(404), "there are no CUDA builds at ", "give --cuda-index"),
}


@pytest.mark.deep
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("name", [*FAMILIES, "down"])
def test_per_cuda_indexes_at_fault_leave_the_main_index_to_be_judged(
    tmp_path: Path, tool: str, name: str
) -> None:
    cuda = cuda_index()
    fault = FAMILIES.get(name, Fault(silent, "Connection refused", NETWORK))
    cuda.acts["/whl/torch/"] = fault.act
    with main_index().serving() as main, cuda.serving() as family:
        where = "http://127.0.0.1:9" if name == "down" else family
        where = where.replace("//", f"//me:{PASSWORD}@")
        options = ["--target", "rtx-5090@580", "--cuda-index", f"{where}/whl"]
        done = through_run(tool, tmp_path, f"{main}/simple/", "torch", options=options)

    assert (done.code, done.installed["torch"], done.left) == (0, "2.15.0", ["secret"])
    assert re.search(f"^warning: torch: .*{fault.words}", done.output, re.MULTILINE), done.output
    assert "only the main index's wheels are judged" in done.output
    assert hinted(done.output, fault.hint), done.output


@pytest.mark.deep
@pytest.mark.parametrize("tool", TOOLS)
def test_a_main_index_at_fault_does_not_end_at_the_per_cuda_indexes(
    tmp_path: Path, tool: str
) -> None:
    index = main_index()
    index.acts["/simple/torch/"] = answer(500)
    with index.serving() as main, cuda_index().serving() as family:
        options = ["--target", "h100@550", "--cuda-index", f"{family}/whl"]
        done = through_run(tool, tmp_path, f"{main}/simple/", "torch", options=options)

    assert (done.code != 0, done.installed, done.left) == (True, {}, ["secret"]), done.output
    assert f"torch: {main}/simple/torch/: 500 Internal Server Error" in done.output


@pytest.mark.deep
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("path", [PAGE, FILE], ids=["page", "file"])
def test_credentials_do_not_follow_a_redirect(tmp_path: Path, tool: str, path: str) -> None:
    elsewhere = demo_index(login=False)
    index = demo_index()
    with elsewhere.serving() as other, index.serving() as main:
        index.acts[path] = answer(302, {"Location": f"{other}{path}"})
        done = through_run(tool, tmp_path, address(main, index), "demo")
    seen = {headers.get("authorization", "none") for headers in elsewhere.headers}

    assert (done.code, done.installed, done.left) == (0, {"demo": "1.0"}, ["secret"]), done.output
    assert (path in elsewhere.asked, seen) == (True, {"none"})


@pytest.mark.deep
@pytest.mark.parametrize("tool", TOOLS)
def test_a_page_of_ten_thousand_files(tmp_path: Path, tool: str) -> None:
    index = StandIn(login=f"me:{PASSWORD}")
    versions = [f"1.{number}" for number in range(10_000)]
    index.add_page(
        "/simple/",
        "demo",
        {WHEEL.replace("1.0", version): make_wheel(WHEEL) for version in versions}
        | {WHEEL.replace("1.0", "2.0"): make_wheel(WHEEL.replace("1.0", "2.0"))},
        metadata=False,
    )
    patient = {"PIP_DEFAULT_TIMEOUT": "60", "UV_HTTP_TIMEOUT": "60"}
    with index.serving() as main:
        done = through_run(tool, tmp_path, address(main, index), "demo", **patient)

    assert (done.code, done.installed, done.left) == (0, {"demo": "2.0"}, ["secret"]), done.output
