"""A lock file with variant wheels: the real uv and pip do what explain and lint say of it."""

from __future__ import annotations

import subprocess
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
import tomlkit

from examples.torch.clients import clean_environment
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.explain.here import Barred, barred_by_python, this_python
from nvidia_variant_provider.tools.explain.results import ORDINARY
from nvidia_variant_provider.tools.explain.views import explain
from nvidia_variant_provider.tools.installers.table import PIP, UV
from nvidia_variant_provider.tools.releases.source import read_release
from tests.tools.lint.releases import read_base, write_release, write_wheel
from tests.tools.lint.uv import uv_install
from tests.tools.views.clients import pip_environment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.clients

HOPPER = {
    "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "13.0",
    "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0",
}
OTHER = "other-1.0-py3-none-any.whl"


def lock_of(folder: Path, kept: str, **more: object) -> Path:
    """Write a release and a lock file of its wheels, and of another project.

    ``kept`` are the wheels that it lists: "all" or those "with" or "without" a label. ``more``
    goes into the package's table.
    """
    described = read_base()
    write_release(folder, described)
    write_wheel(folder / OTHER, None)
    labelled = {it: it.count("-") > 4 for it in described["wheels"]}
    names = [it for it, has in labelled.items() if kept == "all" or has == (kept == "with")]
    packages: list[dict[str, Any]] = [
        {"name": "demo", "version": "1.0", "wheels": [_entry(folder, it) for it in names], **more},
        {"name": "other", "version": "1.0", "wheels": [_entry(folder, OTHER)]},
    ]
    if kept != "without":
        packages[0]["variants-json"] = described["index"]
    path = folder / "pylock.toml"
    lock = {"lock-version": "1.0", "created-by": "test", "packages": packages}
    path.write_text(tomlkit.dumps(lock), "utf-8")
    return path


def _entry(folder: Path, name: str) -> dict[str, Any]:
    digest = sha256((folder / name).read_bytes()).hexdigest()
    return {"name": name, "path": name, "hashes": {"sha256": digest}}


def taken_by_uv(lock: Path) -> str | None:
    done = uv_install(HOPPER, "-r", str(lock))
    return ORDINARY if done.label == "" else done.label


def taken_by_pip(lock: Path) -> str | None:
    # The first pip that reads lock files is younger than the one an environment begins with.
    python = pip_environment(PIP.version)
    target = lock.parent / "target"
    command = [str(python), "-m", "pip", "install", "--no-index", "--target", str(target)]
    subprocess.run(
        [*command, "-r", str(lock)],
        cwd=lock.parent,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return ORDINARY if (target / "demo").is_dir() else None


@pytest.mark.parametrize(
    ("kept", "more", "expected"),
    [
        pytest.param("all", {}, ("cuda13.0", ORDINARY, None), id="all"),
        pytest.param("with", {}, ("cuda13.0", None, None), id="variants alone"),
        pytest.param("without", {}, (ORDINARY, ORDINARY, ORDINARY), id="no variant"),
        pytest.param(
            "without", {"requires-python": ">=4"}, (None, None, None), id="another Python"
        ),
        pytest.param(
            "without", {"marker": "variant_label == ''"}, (ORDINARY, None, None), id="a marker"
        ),
    ],
)
def test_explain_predicts_what_uv_and_pip_take(
    kept: str, more: dict[str, str], expected: tuple[str | None, ...], tmp_path: Path
) -> None:
    lock = lock_of(tmp_path / "dist", kept, **more)

    release = read_release(str(lock), "demo")
    barred = Barred(python=barred_by_python(release, this_python()))
    found = explain(release, parse_target("h100@580").machine(), barred=barred)
    assert tuple(it.winner for it in found.views) == expected
    assert (found.view(UV).winner, found.view(PIP).winner) == (
        taken_by_uv(lock),
        taken_by_pip(lock),
    )


def test_pip_refuses_the_file_for_another_package_too(tmp_path: Path) -> None:
    lock = lock_of(tmp_path / "dist", "all")

    found = explain(read_release(str(lock), "other"), parse_target("h100@580").machine())
    assert [it.winner for it in found.views] == [ORDINARY, ORDINARY, None]
    assert taken_by_pip(lock) is None
