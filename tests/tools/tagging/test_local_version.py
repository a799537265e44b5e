"""``tag --strip-local``: one version in name and content, which real installers accept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from examples.torch.clients import clean_environment
from nvidia_variant_provider.errors import DamagedFileError, InvalidValueError
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.tagging.local_version import public_folders, public_metadata
from nvidia_variant_provider.tools.tagging.variant import build_variant
from nvidia_variant_provider.tools.tagging.wheels import write_plain, write_variant
from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel
from tests.tools.lint.uv import uv_install
from tests.tools.tagging.test_wheels import HOPPER, contents
from tests.wheel_maker import WHEEL, cuda_library, pack, record_of

OLD, NEW = "Demo_X-2.0+cu126", "Demo_X-2.0"
METADATA = (
    "Metadata-Version: 2.1\nName: Demo-X\nVersion: {}\nRequires-Python: >=3\n\nVersion: 9+b\n"
)


def members(stem: str, version: str, arch: str = "90") -> dict[str, bytes]:
    return {
        "demo_x/__init__.py": b"build = 'cu126'\n" * 20,
        "demo_x/_ext.so": cuda_library(arch),
        f"{stem}.data/scripts/demo-x": b"#!python\nprint('demo')\n",
        f"{stem}.dist-info/METADATA": METADATA.format(version).encode(),
        f"{stem}.dist-info/WHEEL": WHEEL,
        f"{stem}.dist-info/licenses/LICENSE": b"free\n",
    }


def write(folder: Path, files: dict[str, bytes], local: str = "+cu126") -> Path:
    path = folder / f"demo_x-2.0{local}-py3-none-any.whl"
    stem = next(name for name in files if ".dist-info" in name).partition(".dist-info")[0]
    record = f"{stem}.dist-info/RECORD"
    rows = record_of(files).decode().splitlines()[:-1]
    path.write_bytes(pack({**files, record: "\n".join([*rows, f"{record},,", ""]).encode()}))
    return path


def test_the_version_changes_wherever_the_wheel_states_it(tmp_path: Path) -> None:
    variant = build_variant("cuda12.6", HOPPER)
    wheel = write(tmp_path, members(OLD, "2.0+cu126"))

    path, remarks = write_variant(wheel, tmp_path, variant, strip_local=True)

    wanted = members(NEW, "2.0") | {f"{NEW}.dist-info/variant.json": variant.to_json().encode()}
    written = contents(path)
    rows = written.pop(f"{NEW}.dist-info/RECORD").decode().splitlines()
    assert (path.name, remarks) == ("demo_x-2.0-py3-none-any-cuda12.6.whl", ())
    assert written == wanted
    assert sorted(row.split(",")[0] for row in rows) == sorted((*wanted, rows[-1].split(",")[0]))
    with OpenWheel(path) as opened:
        opened.check()
        opened.archive.confirm(opened.archive.entries)


def test_the_version_is_taken_from_a_header_of_any_width_in_time_that_grows_with_it() -> None:
    # A quadratic pattern takes hours.
    wide = b"Version :" + b" " * 1_000_000 + b"x\n"

    assert public_metadata(wide + b"Version: 2.0+cu126\n\n") == wide + b"Version: 2.0\n\n"


def test_a_wheel_without_a_local_version_is_tagged_as_ever(tmp_path: Path) -> None:
    variant = build_variant("cuda12.6", HOPPER)
    wheel = write(tmp_path, members(NEW, "2.0"), local="")
    (tmp_path / "stripped").mkdir()

    path, _ = write_variant(wheel, tmp_path, variant)
    stripped, _ = write_variant(wheel, tmp_path / "stripped", variant, strip_local=True)

    assert stripped.read_bytes() == path.read_bytes()


def test_requirements_on_local_versions_are_remarked_on(tmp_path: Path) -> None:
    files = members(OLD, "2.0+cu126")
    requires = (
        "Requires-Dist: no requirement\nRequires-Dist: six\n"
        "Requires-Dist: torchx==2.0+cu126; os_name == 'posix'\nName"
    )
    stated = METADATA.format("2.0+cu126").replace("Name", requires, 1)
    files[f"{OLD}.dist-info/METADATA"] = stated.encode()

    _, (remark,) = write_variant(
        write(tmp_path, files), tmp_path, build_variant("cuda12.6", HOPPER), strip_local=True
    )

    assert remark == (
        "METADATA requires torchx==2.0+cu126; os_name == 'posix': no wheel meets that whose local"
        " version was taken out; change it in the build"
    )


def test_a_folder_that_would_be_there_twice_is_refused(tmp_path: Path) -> None:
    files = members(OLD, "2.0+cu126") | {f"{NEW}.data/data/x": b"1"}
    wheel = write(tmp_path, files)

    with pytest.raises(InvalidValueError, match=r"has a folder 'Demo_X-2\.0\.data' already"):
        write_variant(wheel, tmp_path, build_variant("null", {}), strip_local=True)

    assert sorted(tmp_path.iterdir()) == [wheel]


def test_folders_of_another_project_or_use_keep_their_names(tmp_path: Path) -> None:
    others = {"other-2.0+cu126.data/x": b"1", f"{OLD}/x": b"1", "demo_x-1.0+cu126.data/x": b"1"}

    with OpenWheel(write(tmp_path, members(OLD, "2.0+cu126") | others)) as wheel:
        assert public_folders(wheel) == {
            f"{OLD}.dist-info": f"{NEW}.dist-info",
            f"{OLD}.data": f"{NEW}.data",
        }


def test_damage_in_a_member_that_only_moves_is_found(tmp_path: Path) -> None:
    wheel = write(tmp_path, members(OLD, "2.0+cu126"))
    data = bytearray(wheel.read_bytes())
    data[data.index(b"demo_x/__init__.py") + 25] ^= 0x55
    wheel.write_bytes(data)

    with pytest.raises(DamagedFileError, match=r"demo_x/__init__\.py"):
        write_variant(wheel, tmp_path, build_variant("null", {}), strip_local=True)

    assert sorted(tmp_path.iterdir()) == [wheel]


def test_verify_and_index_and_lint_accept_builds_of_two_local_versions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, out = tmp_path / "plain", tmp_path / "out"
    plain.mkdir()
    for local, label, arch in (("+cu126", "ampere", "80"), ("+cu128", "hopper", "90")):
        wheel = write(plain, members(f"Demo_X-2.0{local}", f"2.0{local}", arch), local)
        assert main(["tag", str(wheel), "-o", str(out), "--label", label, "--strip-local"]) == 0
    capsys.readouterr()

    codes = [
        main(["index", str(out)]),
        main(["verify", str(out)]),
        main(["lint", str(out), "--ignore", "NV409"]),
    ]

    names = sorted(path.name for path in out.glob("demo*") if path.suffix != ".metadata")
    assert (codes, capsys.readouterr().err) == ([0, 0, 0], "")
    assert names == [
        "demo_x-2.0-py3-none-any-ampere.whl",
        "demo_x-2.0-py3-none-any-hopper.whl",
        "demo_x-2.0-variants.json",
    ]


@pytest.mark.clients
def test_uv_and_pip_and_variantlib_accept_the_wheel(tmp_path: Path) -> None:
    out = tmp_path / "out"
    path, _ = write_variant(
        write(tmp_path, members(OLD, "2.0+cu126")),
        out,
        build_variant("cuda12.6", HOPPER),
        strip_local=True,
    )
    plain, _ = write_plain(path, tmp_path)
    assert main(["index", str(out)]) == 0
    settings = {
        "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "12.9",
        "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0",
    }

    links = ("--no-index", "--find-links", str(out), "demo-x==2.0")
    got = uv_install(settings, *links, module="demo_x")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-index", "--report", "-", "--quiet",
         "--target", str(tmp_path / "to"), str(plain)],
        env=clean_environment(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    analysed = subprocess.run(
        [str(Path(sys.executable).parent / "variantlib"), "analyze-wheel", "-i", str(path)],
        env=clean_environment(), capture_output=True, text=True, timeout=120, check=True,
    ).stdout  # fmt: skip

    assert (got.label, got.packages) == ("cu126", ("Demo_X",))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["install"][0]["metadata"]["version"] == "2.0"
    assert (tmp_path / "to" / "bin" / "demo-x").is_file()
    assert "Variant: `cuda12.6`" in analysed
