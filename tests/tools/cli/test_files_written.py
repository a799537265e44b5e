"""What commands do to the files that they write: links, devices, modes and owners stay."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from nvidia_variant_provider.tools.cli.main import main
from tests.tools.lint.releases import read_base, write_release
from tests.wheel_maker import NAME, make_wheel

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="links, devices and owners of POSIX")
root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root could replace a device"
)
TAGGED = "demo-1.0-py3-none-any-null.whl"


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """A device node of the test's own, as /dev/null is."""
    path = tmp_path / "null"
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        with path.open("wb") as file:
            file.write(b"x")
    except OSError as error:
        pytest.skip(f"no device nodes can be made here: {error}")
    return path


@root
@pytest.mark.parametrize(
    "words",
    [
        ("detect", "--record"),
        ("coverage", "{release}", "--target", "h100@580", "--html"),
        ("coverage", "{release}", "--target", "h100@580", "--lock"),
    ],
    ids=lambda words: words[0] + words[-1],
)
def test_root_does_not_replace_a_device(
    words: tuple[str, ...], device: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release = write_release(tmp_path / "release", read_base())
    main([*(word.format(release=release) for word in words), str(device)])

    assert stat.S_ISCHR(device.stat().st_mode)
    assert sorted(os.listdir(tmp_path)) == ["null", "release"]
    assert "cannot be written" not in capsys.readouterr().err


def test_a_page_goes_to_standard_output_and_its_link_stays(tmp_path: Path) -> None:
    release = write_release(tmp_path / "release", read_base())
    command = [sys.executable, "-m", "nvidia_variant_provider", "coverage", str(release)]
    link = tmp_path / "out.html"
    link.symlink_to("/dev/stdout")
    done = subprocess.run(
        [*command, "--target", "h100@580", "--html", str(link)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert link.is_symlink()
    assert "<!doctype html>" in done.stdout
    assert "cannot be written" not in done.stderr


def test_tag_keeps_the_mode_of_what_it_replaces(tmp_path: Path) -> None:
    wheel, target = make_wheel(tmp_path), tmp_path / TAGGED
    target.write_bytes(b"old")
    target.chmod(0o640)
    code = main(["tag", str(wheel), "-o", str(tmp_path), "--null", "--force"])

    assert (code, stat.S_IMODE(target.stat().st_mode)) == (0, 0o640)


@root
def test_root_keeps_the_owner_of_what_tag_replaces(tmp_path: Path) -> None:
    wheel, target = make_wheel(tmp_path), tmp_path / TAGGED
    target.write_bytes(b"old")
    os.chown(target, 1234, 2345)
    code = main(["tag", str(wheel), "-o", str(tmp_path), "--null", "--force"])

    assert (code, target.stat().st_uid, target.stat().st_gid) == (0, 1234, 2345)


def test_convert_follows_a_link(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release = write_release(tmp_path / "release", read_base())
    real, link = release / "demo-1.0-variants.json", tmp_path / "demo-1.0-variants.json"
    link.symlink_to(real)
    before = real.read_bytes()
    code = main(["convert", "--to", "825", "--write", str(link)])
    capsys.readouterr()

    assert (code, link.is_symlink()) == (0, True)
    assert real.read_bytes() != before


def test_index_links_the_file_that_a_link_means(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "dist").mkdir()
    make_wheel(tmp_path / "store")
    (tmp_path / "dist" / NAME).symlink_to(Path("..", "store", NAME))
    out = tmp_path / "somewhere" / "else"
    code = main(["index", str(tmp_path / "dist"), "--output", str(out)])
    capsys.readouterr()

    assert (code, (out / NAME).is_symlink(), (out / NAME).stat().st_size > 0) == (0, False, True)


@pytest.mark.parametrize("name", [TAGGED, "demo-1.0.tar.gz"])
def test_index_refuses_a_link_to_nothing(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    make_wheel(dist)
    (dist / name).symlink_to("nowhere")
    code = main(["index", str(dist), "--output", str(tmp_path / "out")])

    assert (code, os.path.lexists(tmp_path / "out")) == (2, False)
    assert name in capsys.readouterr().err


def test_index_lists_no_name_with_markup_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_wheel(tmp_path)
    name = "<img src=x onerror=alert(1)>-1.0.tar.gz"
    with tarfile.open(tmp_path / name, "w:gz"):
        pass
    code = main(["index", str(tmp_path)])
    capsys.readouterr()

    assert (code, sorted(os.listdir(tmp_path / "simple"))) == (
        0,
        ["demo", "index.html", "index.json"],
    )
    assert "<img" not in (tmp_path / "simple" / "index.html").read_text()


@pytest.mark.parametrize("words", [("tag", "--null"), ("untag",)], ids=lambda words: words[0])
def test_an_error_names_the_file_that_cannot_be_written(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    name = NAME if words[0] == "tag" else TAGGED
    target = NAME if words[0] == "untag" else TAGGED
    files = {"demo/large.bin": os.urandom(300_000)}
    wheel = make_wheel(tmp_path, files, name=name)
    (tmp_path / "out").mkdir()
    code = (
        "import resource, sys\n"
        "from nvidia_variant_provider.tools.cli.main import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", code, words[0], str(wheel), "-o", str(tmp_path / "out")]
    done = subprocess.run(
        [*command, *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, os.listdir(tmp_path / "out")) == (2, [])
    assert f"{target}: cannot be written: File too large" in done.stderr
    assert "None" not in done.stderr
