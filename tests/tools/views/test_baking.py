"""Wheels with variant markers through a view: read by every installer, the same bytes each time."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import zipfile
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import pytest

from examples.torch.clients import uv_executable
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.views.baking import Bakery
from nvidia_variant_provider.tools.views.loopback import Loopback
from nvidia_variant_provider.tools.views.model import Wanted
from nvidia_variant_provider.tools.views.place import open_place
from nvidia_variant_provider.tools.views.service import ViewService
from nvidia_variant_provider.tools.views.upstream import Upstream
from tests.tools.views.clients import (
    PIPS,
    clean_environment,
    installed,
    new_environment,
    pip_environment,
    run,
)
from tests.tools.views.machines import machine
from tests.tools.views.stand_in import JSON, PYTHON, metadata_of, variant_index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.tools.views.stand_in import StandIn

NAME = f"torch-2.16.0-{PYTHON}-manylinux_2_28_x86_64.whl"
BAKED = b"""\
Metadata-Version: 2.2
Dynamic: Requires-Dist
Name: torch
Version: 2.16.0
Requires-Python: >=3.8
Requires-Dist: typing-extensions
Requires-Dist: nvidia-cublas-cu12==1.126; platform_system == 'Linux'
"""
LIBRARIES = {"h100@550": "nvidia_cublas_cu12", "rtx-5090@580": "nvidia_cublas_cu13", "": None}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[StandIn, str]]:
    index = variant_index()
    with index.serving() as url, serving(url, tmp_path) as view:
        index.address = url
        yield index, view


@contextlib.contextmanager
def serving(url: str, cache: Path) -> Iterator[str]:
    """Serve the view of an H100 on an index."""
    upstream = Upstream(Fetcher({"HOME": str(cache)}), [f"{url}/simple/"])
    service = ViewService(
        upstream, lambda: Wanted(machine("h100@550")), bakery=Bakery(cache, upstream)
    )
    with Loopback(service, open_place("token")).running() as view:
        yield view


def page_of(view: str) -> list[dict[str, object]]:
    request = Request(f"{view}torch/", headers={"Accept": JSON})  # noqa: S310 - our own address
    with urlopen(request) as answer:  # noqa: S310 - likewise
        files = json.load(answer)["files"]
        assert isinstance(files, list)
        return files


def get(url: object) -> bytes:
    with urlopen(str(url)) as answer:  # noqa: S310 - our own address
        data = answer.read()
        assert isinstance(data, bytes)
        return data


def test_the_metadata_that_is_served_is_that_of_the_wheel(served: tuple[StandIn, str]) -> None:
    (entry,) = page_of(served[1])
    wheel = get(entry["url"])
    sidecar = get(f"{entry['url']}.metadata")

    assert (entry["filename"], sidecar, metadata_of(wheel)) == (NAME, BAKED, BAKED)
    assert entry["core-metadata"] == {"sha256": hashlib.sha256(BAKED).hexdigest()}


def test_a_page_states_the_hash_once_the_wheel_was_baked(
    served: tuple[StandIn, str], tmp_path: Path
) -> None:
    index, view = served
    (before,) = page_of(view)
    wheel = get(before["url"])
    with index.serving() as url, serving(url, tmp_path) as other:
        (elsewhere,) = page_of(other)
    with serving(index.address, tmp_path) as again:
        (after,) = page_of(again)

    assert (before["hashes"], before.get("size")) == ({}, None)
    assert (elsewhere["hashes"], elsewhere.get("size")) == ({}, None)
    assert after["hashes"] == {"sha256": hashlib.sha256(wheel).hexdigest()}
    assert after["size"] == len(wheel)


def test_baking_twice_gives_the_same_bytes(served: tuple[StandIn, str], tmp_path: Path) -> None:
    (entry,) = page_of(served[1])
    first = get(entry["url"])
    for path in tmp_path.glob("baked/*/*"):
        path.unlink()

    assert get(entry["url"]) == first


@pytest.mark.parametrize(
    ("more", "words"), [(b"x" * 4, "more bytes"), (b"", "another hash")], ids=["size", "hash"]
)
def test_another_wheel_than_its_page_states_is_not_served_and_leaves_nothing(
    served: tuple[StandIn, str], tmp_path: Path, more: bytes, words: str
) -> None:
    index, view = served
    (entry,) = page_of(view)
    address = next(it for it in index.bodies if it.endswith("-cuda12.6.whl"))
    original = index.bodies[address][1]
    index.bodies[address] = ("application/octet-stream", b"PK!!" + original[4:] + more)

    with pytest.raises(OSError, match=f"424.*has {words} than its page states"):
        get(entry["url"])
    assert list((tmp_path / "baked").iterdir()) == []


def test_a_wheel_that_unpacks_to_more_than_it_may_is_refused_by_its_name(
    served: tuple[StandIn, str], tmp_path: Path
) -> None:
    index, view = served
    address = next(it for it in index.bodies if it.endswith("-cuda12.6.whl"))
    large = b"\n" * (33 << 20)
    packed = repacked(index.bodies[address][1], "torch-2.16.0.dist-info/METADATA", large)
    kind, page = index.bodies["/simple/torch/"]
    listed = json.loads(page)
    for file in listed["files"]:
        file["hashes"], file["size"] = {}, None
    index.bodies["/simple/torch/"] = kind, json.dumps(listed).encode()
    index.bodies[address] = "application/octet-stream", packed
    name = address.rpartition("/")[2]

    (entry,) = page_of(view)

    with pytest.raises(OSError, match=rf"424: torch\S+: {re.escape(name)}: .*expected at most"):
        get(entry["url"])
    assert list((tmp_path / "baked").iterdir()) == []


def repacked(wheel: bytes, member: str, content: bytes) -> bytes:
    """Return a wheel with a member of another content, packed."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(wheel)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for name in old.namelist():
            new.writestr(name, content if name == member else old.read(name))
    return target.getvalue()


def test_what_a_killed_run_has_left_is_removed_after_a_day(
    served: tuple[StandIn, str], tmp_path: Path
) -> None:
    old, new = (tmp_path / "baked" / name / ".12ab34cd.part" for name in ("old", "new"))
    for scratch in (old, new):
        scratch.mkdir(parents=True)
        (scratch / "torch.whl").write_bytes(b"PK")
    os.utime(old, (0, 0))
    (entry,) = page_of(served[1])
    get(entry["url"])

    assert (old.parent.exists(), new.exists()) == (False, True)


def test_only_the_metadata_differs_from_the_upstream_s_wheel(
    served: tuple[StandIn, str], tmp_path: Path
) -> None:
    index, view = served
    (entry,) = page_of(view)
    (tmp_path / "baked.whl").write_bytes(get(entry["url"]))
    address = next(it for it in index.bodies if it.endswith("-cuda12.6.whl"))
    (tmp_path / "original.whl").write_bytes(index.bodies[address][1])
    with (
        zipfile.ZipFile(tmp_path / "baked.whl") as new,
        zipfile.ZipFile(tmp_path / "original.whl") as old,
    ):
        changed = {it for it in old.namelist() if old.read(it) != new.read(it)}

    assert changed == {"torch-2.16.0.dist-info/METADATA", "torch-2.16.0.dist-info/RECORD"}


@pytest.mark.clients
@pytest.mark.parametrize("target", LIBRARIES, ids=str)
@pytest.mark.parametrize(
    "tool", ["uv", PIPS[-1], *(pytest.param(it, marks=pytest.mark.deep) for it in PIPS[:-1])]
)
@pytest.mark.parametrize("metadata", [True, pytest.param(False, marks=pytest.mark.deep)], ids=str)
def test_installers_without_variants_get_the_libraries_of_the_label(
    tmp_path: Path,
    target: str,
    tool: str,
    metadata: bool,  # noqa: FBT001 - a parameter
) -> None:
    library = LIBRARIES[target]
    with variant_index(metadata=metadata).serving() as url:
        environ = clean_environment(
            tmp_path, PIP_INDEX_URL=f"{url}/simple/", UV_DEFAULT_INDEX=f"{url}/simple/"
        )
        if tool == "uv":
            python = new_environment(tmp_path / "site")
            command = [uv_executable(), "pip", "install", "--python", str(python), "torch"]
        else:
            python = pip_environment(tool)
            command = [str(python), "-m", "pip", "install", "--target", f"{tmp_path}/site", "torch"]
        options = ["--target", target] if target else []
        done = run(options, command, environ, tmp_path)

    assert done.code == 0, done.output
    assert set(installed(tmp_path / "site")) == {"torch", "typing_extensions"} | (
        {library} if library else set()
    )
