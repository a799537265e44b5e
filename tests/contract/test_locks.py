"""A lock file with variant wheels: the real uv and pip do what lint says of them (NV431)."""

from __future__ import annotations

import subprocess
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
import tomlkit

from examples.torch.clients import clean_environment
from nvidia_variant_provider.tools.installers.table import PIP
from tests.tools.lint.releases import read_base, write_release
from tests.tools.lint.uv import uv_install
from tests.tools.views.clients import pip_environment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.clients

HOPPER = {
    "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "13.0",
    "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0",
}


def lock_of(folder: Path, *, plain: bool) -> Path:
    """Write a release and a lock file of its wheels, with the metadata of the variants."""
    described = read_base()
    write_release(folder, described)
    names = [it for it in described["wheels"] if plain or it.count("-") > 4]
    hashes = {it: sha256((folder / it).read_bytes()).hexdigest() for it in names}
    wheels = [{"name": it, "path": it, "hashes": {"sha256": hashes[it]}} for it in names]
    package = {"name": "demo", "version": "1.0", "wheels": wheels}
    lock = {
        "lock-version": "1.0",
        "created-by": "test",
        "packages": [{**package, "variants-json": described["index"]}],
    }
    path = folder / "pylock.toml"
    path.write_text(tomlkit.dumps(lock), "utf-8")
    return path


@pytest.mark.parametrize(("plain", "label"), [(True, ""), (False, None)])
def test_uv_takes_the_wheel_without_a_label_or_stops(
    *, plain: bool, label: str | None, tmp_path: Path
) -> None:
    path = lock_of(tmp_path / "dist", plain=plain)

    assert uv_install(HOPPER, "-r", str(path)).label == label


def test_pip_refuses_the_whole_file(tmp_path: Path) -> None:
    path = lock_of(tmp_path / "dist", plain=True)
    # The first pip that reads lock files is younger than the one an environment begins with.
    python = pip_environment(PIP.version)
    command = [str(python), "-m", "pip", "install", "--no-index", "--target", "t", "-r"]
    done = subprocess.run(
        [*command, str(path)],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode != 0, "Invalid wheel filename" in done.stderr) == (True, True)
    assert not (tmp_path / "t").exists()
