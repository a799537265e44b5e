"""Lock files as releases: which package is meant, and what the file says beside its wheels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tomlkit

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.explain.views import explain
from nvidia_variant_provider.tools.releases.files import is_lock
from nvidia_variant_provider.tools.releases.release import Locked
from nvidia_variant_provider.tools.releases.source import read_release
from tests.tools.lint.releases import read_base

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = {"url": "https://files.example/a/demo-1.0-py3-none-any.whl"}
BEST = {"url": "https://files.example/a/demo-1.0-py3-none-any-cuda13.0.whl"}
OTHER = {"name": "other", "version": "2.0", "wheels": [{"path": "other-2.0-py3-none-any.whl"}]}


def write(folder: Path, *packages: dict[str, Any], **more: object) -> str:
    path = folder / "pylock.toml"
    path.write_text(tomlkit.dumps({**more, "packages": list(packages)}), "utf-8")
    return str(path)


def demo(**more: object) -> dict[str, Any]:
    return {"name": "demo", "version": "1.0", "wheels": [PLAIN, BEST], **more}


def test_the_package_with_variants_is_meant_unless_one_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, OTHER, demo(**{"variants-json": read_base()["index"]}))
    release = read_release(path)
    other = read_release(path, "other<3")

    assert (release.name, release.version, release.listed) == ("demo", "1.0", True)
    assert [it.label for it in release.wheels or ()] == ["", "cuda13.0"]
    assert sorted(release.strict.variants) == ["cuda12.6", "cuda13.0", "null"]
    assert (other.name, other.version, other.metadata, other.trouble) == ("other", "2.0", None, "")
    assert release.lock == other.lock == Locked("demo-1.0-py3-none-any-cuda13.0.whl", "", ())


def test_no_wheel_of_a_lock_file_is_opened(tmp_path: Path) -> None:
    release = read_release(write(tmp_path, demo()))

    assert [release.path_of(it) for it in release.wheels or ()] == ["", ""]


def test_a_missing_table_is_the_trouble(tmp_path: Path) -> None:
    release = read_release(write(tmp_path, OTHER, demo()))

    assert release.trouble == "packages[1]: no table variants-json, which describes the labels"


def test_an_invalid_table_is_the_trouble(tmp_path: Path) -> None:
    release = read_release(write(tmp_path, demo(**{"variants-json": {"a": 1}})))

    assert release.metadata is None
    assert release.trouble.startswith("packages[0]/variants-json: ")


def test_conditions_are_named_as_not_judged(tmp_path: Path) -> None:
    package = {**OTHER, "marker": "sys_platform == 'linux'", "sdist": {"path": "a.tar.gz"}}
    environments = ["os_name == 'nt'", "os_name == 'posix'"]
    release = read_release(write(tmp_path, package, environments=environments), "other")

    assert list(explain(release, parse_target("h100@580").machine()).warnings) == [
        "other is installed only where sys_platform == 'linux'; that is not judged here",
        (
            "the lock file is for os_name == 'nt' or os_name == 'posix' only; that is not judged"
            " here"
        ),
    ]


@pytest.mark.parametrize(
    ("packages", "package", "words"),
    [
        ([], None, "no package with variants; name one with --package: "),
        ([OTHER], None, "no package with variants; name one with --package: other==2.0"),
        ([OTHER], "demo", "no demo; name one with --package: other==2.0"),
        ([OTHER], "other==1", "no other==1; name one with --package: other==2.0"),
        ([OTHER], "o ther", "expected a requirement such as"),
        (
            [demo(), {**demo(), "name": "b"}],
            None,
            "several packages of variants, name one: b==1.0, demo==1.0",
        ),
        (
            [{**OTHER, "marker": "os_name == 'nt'"}, OTHER],
            "other",
            "2 entries of other, told apart by markers, which are not judged: os_name == 'nt'; no",
        ),
    ],
)
def test_it_says_which_package_could_be_meant(
    packages: list[dict[str, Any]], package: str | None, words: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidValueError) as caught:
        read_release(write(tmp_path, *packages), package)

    assert words in str(caught.value)


def test_what_is_no_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    path.write_text("a = [")

    with pytest.raises(InvalidValueError, match="expected a lock file in TOML"):
        read_release(str(path))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pylock.toml", True),
        ("pylock.a.toml", True),
        ("pylock.a.b.toml", False),
        ("uv.lock", False),
    ],
)
def test_which_names_are_lock_files(name: str, *, expected: bool) -> None:
    assert is_lock(name) is expected
