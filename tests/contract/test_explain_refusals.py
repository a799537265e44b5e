"""Wheels that an installer selects and then refuses: explain says so, and the real ones do."""

from __future__ import annotations

import zipfile
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.explain.here import Barred, barred_by_python, this_python
from nvidia_variant_provider.tools.explain.results import ORDINARY
from nvidia_variant_provider.tools.explain.views import explain
from nvidia_variant_provider.tools.index.plan import plan_index
from nvidia_variant_provider.tools.installers.table import PIP, UV
from nvidia_variant_provider.tools.releases.source import read_release
from tests.contract.test_readers import serve_page
from tests.tools.convert.test_torch import pip_install
from tests.tools.lint.releases import Json, merge_patch, read_base, write_release, write_wheel
from tests.tools.lint.serving import serve
from tests.tools.lint.uv import uv_install

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.clients

HOPPER = {
    "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "13.0",
    "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0",
}
TAGS = "demo-1.0-py3-none-manylinux_2_28_x86_64"
BEST, PLAIN, NULL = f"{TAGS}-cuda13.0.whl", f"{TAGS}.whl", f"{TAGS}-null.whl"
MARKED = {"requires-dist": ["cublas-invented; variant_label == 'absent'"]}


def taken(folder: Path) -> tuple[str | None, bool]:
    """Return what the real uv installs, as explain spells it, and whether the real pip succeeds."""
    links = ("--find-links", str(folder), "--no-index", "demo==1.0")
    done = uv_install(HOPPER, *links)
    named = ORDINARY if done.label == "" else done.label
    platform = ("--platform", "manylinux_2_28_x86_64", "--only-binary", ":all:")
    return named, bool(pip_install(folder.parent / "target", *platform, *links))


def predicted(folder: Path) -> tuple[str | None, bool]:
    found = explain(read_release(str(folder)), parse_target("h100@580").machine())
    return found.view(UV).winner, found.view(PIP).winner is not None


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        pytest.param({}, ("cuda13.0", True), id="none"),
        pytest.param({"wheels": {BEST: MARKED}}, (None, True), id="marker in the best variant"),
        pytest.param({"wheels": {PLAIN: MARKED}}, ("cuda13.0", False), id="in the plain wheel"),
        pytest.param({"wheels": {NULL: MARKED}}, ("cuda13.0", True), id="in another variant"),
        pytest.param(
            {"index": None, "wheels": {PLAIN: MARKED}}, (None, False), id="in the only wheel seen"
        ),
        pytest.param({"wheels": {BEST: {"variant": None}}}, (None, True), id="no variant.json"),
        pytest.param(
            {"wheels": {BEST: {"variant": {"variants": {"cuda12.6": {}}}}}}, (None, True),
            id="two labels in it",
        ),
        pytest.param(
            {"wheels": {BEST: {"variant": {"$schema": None}}}}, (None, True), id="no $schema in it"
        ),
        pytest.param(
            {"wheels": {BEST: {"variant": {"variants": {"cuda13.0": {"nvidia": {
                "sm_arch": ["50_real"]}}}}}}}, (None, True), id="another set that does not fit",
        ),
        pytest.param(
            {"wheels": {BEST: {"variant": {"variants": {"cuda13.0": {"nvidia": {
                "sm_arch": ["90_real"]}}}}}}}, ("cuda13.0", True), id="another set that fits",
        ),
    ],
)  # fmt: skip
def test_explain_predicts_which_wheel_is_refused(
    patch: Json, expected: tuple[str | None, bool], tmp_path: Path
) -> None:
    base = read_base()
    described = {**base, **patch, "wheels": {**base["wheels"], **patch.get("wheels", {})}}
    folder = write_release(tmp_path / "release", described)

    assert (predicted(folder), taken(folder)) == (expected, expected)


@pytest.mark.parametrize(
    ("wheels", "expected"),
    [
        ({}, ("cuda13.0", True)),
        ({BEST: MARKED}, (None, True)),
        ({PLAIN: MARKED}, ("cuda13.0", False)),
        ({BEST: {"variant": None}}, (None, True)),
        (
            {BEST: {"variant": {"variants": {"cuda13.0": {"nvidia": {"sm_arch": ["50_real"]}}}}}},
            (None, True),
        ),
    ],
)
def test_wheels_of_an_index_are_judged_too(
    wheels: Json, expected: tuple[str | None, bool], tmp_path: Path
) -> None:
    base = read_base()
    folder = write_release(tmp_path / "release", {**base, "wheels": {**base["wheels"], **wheels}})
    with serve(serve_page(folder)) as server:
        index = f"{server.url}/simple/"
        found = explain(read_release(index, "demo==1.0"), parse_target("h100@580").machine())
        platform = ("--platform", "manylinux_2_28_x86_64", "--only-binary", ":all:")
        by_pip = pip_install(tmp_path / "target", *platform, "--index-url", index, "demo==1.0")
        label = uv_install(HOPPER, "--index-url", index, "demo==1.0").label

    assert (found.view(UV).winner, found.view(PIP).winner is not None) == expected
    assert (ORDINARY if label == "" else label, bool(by_pip)) == expected


def test_a_wheel_for_any_platform_is_looked_at_last(tmp_path: Path) -> None:
    folder = write_release(tmp_path / "release", read_base())
    for name in ("demo-1.0-py3-none-any.whl", "demo-1.0-py3-none-any-cuda13.0.whl"):
        (folder / name).write_bytes(b"cut short")

    assert (predicted(folder), taken(folder)) == (("cuda13.0", True), ("cuda13.0", True))


@pytest.mark.parametrize("older", [False, True])
def test_a_second_dist_info_is_refused(*, older: bool, tmp_path: Path) -> None:
    folder = write_release(tmp_path / "release", read_base())
    with zipfile.ZipFile(folder / BEST, "a") as archive:
        archive.writestr("other-1.0.dist-info/METADATA", "Name: other\n")

    assert (predicted(folder), taken(folder)) == ((None, True), (None, True))
    if older:
        write_wheel(folder / "demo-0.9-py3-none-any.whl", None)
        assert turns_to_an_older_one(folder)


@pytest.mark.parametrize(
    "wheel",
    [
        pytest.param(MARKED, id="a marker"),
        pytest.param({"variant": None}, id="no variant.json"),
        pytest.param({"variant": {"variants": {"cuda12.6": {}}}}, id="two labels"),
    ],
)
def test_uv_turns_to_an_older_release_where_explain_says_so(wheel: Json, tmp_path: Path) -> None:
    base = read_base()
    described = {**base, "wheels": {**base["wheels"], BEST: wheel}}
    folder = write_release(tmp_path / "release", described)
    write_wheel(folder / "demo-0.9-py3-none-any.whl", None)

    assert turns_to_an_older_one(folder)


def test_uv_turns_to_an_older_release_from_metadata_it_cannot_read(tmp_path: Path) -> None:
    folder = write_release(tmp_path / "release", read_base() | {"index": "no JSON"})
    write_wheel(folder / "demo-0.9-py3-none-any.whl", None)

    assert turns_to_an_older_one(folder)


def turns_to_an_older_one(folder: Path) -> bool:
    """Tell whether the real uv installs 0.9, and explain says that it will."""
    done = uv_install(HOPPER, "--find-links", str(folder), "--no-index", "demo")
    found = explain(read_release(str(folder)), parse_target("h100@580").machine())
    said = found.view(UV).refusal.endswith("; it turns to the older demo 0.9")
    return said and "+ demo==0.9" in done.stderr


def test_a_yanked_variant_is_passed_over_unless_it_is_pinned(tmp_path: Path) -> None:
    folder = write_release(tmp_path / "release", read_base())
    files = {it.name: it.read_bytes() for it in sorted(folder.iterdir())}
    links = "".join(
        f'<a href="../../{name}#sha256={sha256(data).hexdigest()}"'
        f"{' data-yanked' if name in {BEST, 'demo-1.0-variants.json'} else ''}>{name}</a>"
        for name, data in files.items()
    )
    (folder / "simple/demo").mkdir(parents=True)
    (folder / "simple/demo/index.html").write_text(f"<!DOCTYPE html><html><body>{links}")

    with serve(folder) as server:
        address = f"{server.url}/simple/"
        for requirement in ("demo", "demo==1.0"):
            done = uv_install(HOPPER, "--index-url", address, requirement)
            release = read_release(address, requirement)
            winner = explain(release, parse_target("h100@580").machine()).view(UV).winner
            assert (requirement, winner) == (requirement, done.label)


FUTURE = {"fields": {"Requires-Python": ">=4"}}


@pytest.mark.parametrize(
    ("wheels", "expected"),
    [
        pytest.param({BEST: FUTURE}, (None, True), id="the best variant"),
        pytest.param({PLAIN: FUTURE}, ("cuda13.0", False), id="the plain wheel"),
        pytest.param({NULL: FUTURE}, ("cuda13.0", True), id="another variant"),
        pytest.param({BEST: FUTURE, PLAIN: FUTURE}, (None, False), id="best and plain"),
    ],
)
def test_explain_predicts_what_another_python_does(
    wheels: Json, expected: tuple[str | None, bool], tmp_path: Path
) -> None:
    folder = write_release(tmp_path / "release", merge_patch(read_base(), {"wheels": wheels}))
    in_folder = taken(folder)
    plan_index(folder).write()
    with serve(folder, as_json=False) as server:
        index = f"{server.url}/simple/"
        over_http = uv_install(HOPPER, "--index-url", index, "demo==1.0").label
        releases = [read_release(str(folder)), read_release(index, "demo==1.0")]
    predictions = []
    for release in releases:
        barred = Barred(python=barred_by_python(release, this_python()))
        found = explain(release, parse_target("h100@580").machine(), barred=barred)
        predictions.append((found.view(UV).winner, found.view(PIP).winner is not None))

    assert (in_folder, over_http) == (expected, expected[0])
    assert predictions == [expected, expected]
