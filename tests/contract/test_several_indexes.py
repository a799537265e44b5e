"""One project in several indexes: explain says what the real uv and pip take."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import clean_environment
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.explain.results import ORDINARY
from nvidia_variant_provider.tools.explain.views import explain
from nvidia_variant_provider.tools.index.plan import plan_index
from nvidia_variant_provider.tools.installers.table import PIP, UV
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.releases.several_indexes import read_several
from tests.tools.lint.releases import read_base, write_release, write_wheel
from tests.tools.lint.serving import serve
from tests.tools.lint.uv import uv_install
from tests.tools.views.clients import pip_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.clients

HOPPER = {
    "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "13.0",
    "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0",
    "UV_HTTP_RETRIES": "0",
}
PLAIN = {"old": "0.9", "same": "1.0", "again": "1.0", "new": "2.0"}
# Nothing listens on port 9, and no index of ours answers there.
DEAD = "http://127.0.0.1:9/simple/"


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Serve an index with variants of 1.0, some without, an empty page, and none at all."""
    root = tmp_path_factory.mktemp("indexes")
    write_release(root / "variants", read_base())
    plan_index(root / "variants").write()
    for name, version in PLAIN.items():
        (root / name).mkdir()
        write_wheel(root / name / f"demo-{version}-py3-none-any.whl", None)
        plan_index(root / name).write()
    (root / "nothing/simple/demo").mkdir(parents=True)
    (root / "nothing/simple/demo/index.html").write_text("<!DOCTYPE html><html><body></body>")
    (root / "absent/simple").mkdir(parents=True)
    with serve(root) as server:
        names = ("variants", *PLAIN, "nothing", "absent")
        yield {**{it: f"{server.url}/{it}/simple/" for it in names}, "dead": DEAD}


def taken_by_uv(arguments: list[str]) -> tuple[str | None, str]:
    done = uv_install(HOPPER, *arguments)
    version = next((it for it in (*PLAIN.values(), "1.0") if f"demo=={it}\n" in done.stderr), "")
    return ORDINARY if done.label == "" else done.label, version


def taken_by_pip(arguments: list[str]) -> tuple[str, str]:
    """Return the version that the real pip would install, and the name of its index."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.json")
        command = [str(pip_environment(PIP.version)), "-m", "pip", "install", "--dry-run"]
        done = subprocess.run(
            [*command, "--no-input", "--retries", "0", "--report", str(report), *arguments],
            env={**clean_environment(), "HOME": scratch},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            return "", ""
        (item,) = json.loads(report.read_text())["install"]
        return item["metadata"]["version"], item["download_info"]["url"].split("/")[3]


@pytest.mark.parametrize(
    ("order", "package", "expected"),
    [
        # Each case: the extra indexes in their order, then the default one.
        ("variants", "demo", (("cuda13.0", "1.0"), ("1.0", "variants"))),
        ("new variants", "demo", ((ORDINARY, "2.0"), ("2.0", "new"))),
        ("variants new", "demo", (("cuda13.0", "1.0"), ("2.0", "new"))),
        ("old variants", "demo", ((ORDINARY, "0.9"), ("1.0", "variants"))),
        ("same again", "demo", ((ORDINARY, "1.0"), ("1.0", "same"))),
        ("again same", "demo", ((ORDINARY, "1.0"), ("1.0", "again"))),
        ("old again same", "demo", ((ORDINARY, "0.9"), ("1.0", "again"))),
        ("absent variants", "demo", (("cuda13.0", "1.0"), ("1.0", "variants"))),
        ("nothing variants", "demo", ((None, ""), ("1.0", "variants"))),
        ("dead variants", "demo", ((None, ""), ("1.0", "variants"))),
        ("variants dead", "demo", (("cuda13.0", "1.0"), ("1.0", "variants"))),
        ("new variants", "demo<2", ((None, ""), ("1.0", "variants"))),
    ],
)
def test_explain_predicts_what_uv_and_pip_take(
    order: str,
    package: str,
    expected: tuple[tuple[str | None, str], tuple[str, str]],
    indexes: dict[str, str],
) -> None:
    *extra, default = (indexes[it] for it in order.split())
    arguments = ["--index-url", default, *(f"--extra-index-url={it}" for it in extra), package]

    release = read_several(package, [*extra, default], [default, *extra], Fetcher({}))
    found = explain(release, parse_target("h100@580").machine())
    several = release.several
    assert several is not None
    assert (found.view(UV).winner, release.version) == expected[0]
    assert (found.view(PIP).winner, several.for_pip.version) == (ORDINARY, expected[1][0])
    assert f"/{expected[1][1]}/simple/" in "".join(it for it in several.lines if "pip takes" in it)
    assert (taken_by_uv(arguments), taken_by_pip(arguments)) == expected
