"""What an index says of files and projects, seen through a view: true of what is shown, or absent.

pypi-simple, a reader that is not ours, says what the pages of a view mean.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from examples.torch.environment import ensure_environment
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.releases.pages import ProjectStatus, parse_page, parse_status
from nvidia_variant_provider.tools.views.baking import Bakery
from nvidia_variant_provider.tools.views.model import Wanted
from nvidia_variant_provider.tools.views.service import ViewService
from nvidia_variant_provider.tools.views.upstream import CudaFamily, Upstream
from tests.tools.views.machines import machine
from tests.tools.views.stand_in import (
    JSON,
    MARKED,
    StandIn,
    cuda_index,
    main_index,
    torch_wheels,
    variant_index,
    variant_wheels,
)

if TYPE_CHECKING:
    from pathlib import Path

    from nvidia_variant_provider.tools.views.answers import Page

WHEEL = "cp310-abi3-manylinux_2_28_x86_64.whl"
ADDRESS = "http://views.example/rtx-5090@580/simple/torch/"
SDIST = "torch-2.14.1.tar.gz"
PROVENANCE = "https://index.example/integrity/torch/provenance"
FACTS = {
    "upload-time": "2026-10-01T12:00:00Z",
    "requires-python": ">=3.10",
    "provenance": PROVENANCE,
}
READER = """\
import json, sys
from pypi_simple import ProjectPage

body, kind, address = sys.stdin.buffer.read(), *sys.argv[1:]
page = (
    ProjectPage.from_json_data(json.loads(body), address)
    if kind == "json"
    else ProjectPage.from_html("torch", body.decode(), address)
)
print(json.dumps({
    "status": page.status and page.status.value,
    "reason": page.status_reason,
    "versions": page.versions,
    "files": {package.filename: {
        "url": package.url.partition("#")[0],
        "hash": package.digests.get("sha256"),
        "requires-python": package.requires_python,
        "yanked": package.is_yanked and (package.yanked_reason or True),
        "size": package.size,
        "uploaded": package.upload_time and package.upload_time.isoformat(),
        "has metadata": package.has_metadata,
        "metadata": (package.metadata_digests or {}).get("sha256"),
        "provenance": package.provenance_url,
    } for package in page.packages},
}))
"""


def as_pypi_simple_reads(body: bytes, kind: str, address: str) -> dict[str, Any]:
    python = ensure_environment("view-pypi-simple", ["pypi-simple==1.8.0"])
    command = [str(python), "-c", READER, kind, address]
    done = subprocess.run(command, input=body, check=True, capture_output=True)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def stated_index() -> StandIn:
    """Return a main index that states of torch all that pages can state."""
    index = main_index()
    wheels = torch_wheels(main=True)
    facts: dict[str, dict[str, object]] = {name: dict(FACTS) for name in wheels}
    wheels[SDIST] = b"sources"
    facts[SDIST] = {**FACTS, "yanked": "does not build"}
    index.add_page("/simple/", "torch", wheels, extra=facts)
    set_status(index, {"status": "archived", "reason": 'no "more" releases'})
    return index


def set_status(index: StandIn, status: dict[str, str]) -> None:
    kind, page = index.bodies["/simple/torch/"]
    document = json.loads(page) | {"project-status": status}
    index.bodies["/simple/torch/"] = kind, json.dumps(document).encode()


def seen(index: StandIn, target: str, folder: Path) -> tuple[Page, bytes, str]:
    """Return the page of torch in a view, that of the index, and its address."""
    with index.serving() as main, cuda_index().serving() as cuda:
        upstream = Upstream(Fetcher({}), [f"{main}/simple/"])
        families = [CudaFamily(upstream.fetcher, f"{cuda}/whl", frozenset({"torch"}))]
        service = ViewService(
            upstream, lambda: Wanted(machine(target)), families, bakery=Bakery(folder, upstream)
        )
        page = service.page("torch", "../../files/")
        address = f"{main}/simple/torch/"
        return page, upstream.fetcher.get(address, JSON).body, address


@pytest.mark.clients
@pytest.mark.parametrize("kind", ["json", "html"])
def test_what_passes_unchanged_has_all_that_its_index_states(tmp_path: Path, kind: str) -> None:
    page, original, address = seen(stated_index(), "rtx-5090@580", tmp_path)
    shown = as_pypi_simple_reads(page.body(as_json=kind == "json"), kind, ADDRESS)
    theirs = as_pypi_simple_reads(original, "json", address)
    # HTML has no place for these two.
    absent = {} if kind == "json" else {"size": None, "uploaded": None}

    for name in (f"torch-2.15.0-{WHEEL}", SDIST):
        assert shown["files"][name] == theirs["files"][name] | absent
    assert shown["files"][SDIST]["yanked"] == "does not build"
    assert shown["files"][SDIST]["provenance"] == PROVENANCE
    assert (shown["status"], shown["reason"]) == ("archived", 'no "more" releases')


@pytest.mark.parametrize("as_json", [True, False])
def test_only_a_file_of_the_index_s_own_name_and_bytes_has_attestations(
    tmp_path: Path, *, as_json: bool
) -> None:
    index = variant_index()
    for requires in (MARKED, ("typing-extensions",)):
        # The first are rewritten for their label, the others renamed alone.
        wheels = variant_wheels(requires)
        extra: dict[str, dict[str, object]] = {name: dict(FACTS) for name in wheels}
        index.add_page("/simple/", "torch", wheels, extra=extra)
        page, _, _ = seen(index, "rtx-5090@580", tmp_path)
        body = page.body(as_json=as_json)
        kind = JSON if as_json else "text/html"
        wheel = {file.name: file for file in parse_page(body, kind, ADDRESS)}[
            f"torch-2.16.0-{WHEEL}"
        ]

        assert (wheel.provenance, wheel.upload_time) == ("", FACTS["upload-time"])
        assert wheel.requires_python == FACTS["requires-python"]


@pytest.mark.parametrize(
    ("status", "stated"),
    [
        ({"status": "active"}, ProjectStatus("active")),
        ({"status": "archived", "reason": 'a < b & "c"'}, ProjectStatus("archived", 'a < b & "c"')),
    ],
)
def test_the_status_of_a_project_is_handed_on(
    tmp_path: Path, status: dict[str, str], stated: ProjectStatus
) -> None:
    index = main_index()
    set_status(index, status)
    page, _, _ = seen(index, "rtx-5090@580", tmp_path)

    assert parse_status(page.body(as_json=True), JSON) == stated
    assert parse_status(page.body(as_json=False), "text/html") == stated


def test_of_a_quarantined_project_no_other_index_offers_a_file(tmp_path: Path) -> None:
    index = main_index()
    index.add_page("/simple/", "torch", {})
    set_status(index, {"status": "quarantined", "reason": "stolen account"})
    page, _, _ = seen(index, "rtx-5090@580", tmp_path)

    assert (page.status, page.files) == (200, ())
    assert page.project_status == ProjectStatus("quarantined", "stolen account")


@pytest.mark.parametrize(
    "page",
    [
        b'{"files": []}',
        b'{"project-status": {}}',
        b'{"project-status": {"status": 7}}',
        b'{"project-status": {"status": }}',
        b'{"project-status": "archived"}',
        b'{"name": "\\"project-status\\": {\\"status\\": \\"archived\\"}"}',
    ],
)
def test_a_page_that_states_no_status_has_none(page: bytes) -> None:
    assert parse_status(page, JSON) is None
