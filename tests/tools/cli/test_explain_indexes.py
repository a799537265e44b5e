"""``explain`` over several indexes: the options, what is configured, and what is not judged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.index.plan import plan_index
from tests.tools.lint.releases import read_base, write_release, write_wheel
from tests.tools.lint.serving import serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST = "uv takes the first index with the project"
NEWEST = "pip takes the newest of all indexes"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve an index with variants of 1.0 and one with a plain 2.0."""
    for name in ("UV_INDEX", "UV_DEFAULT_INDEX", "PIP_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    write_release(tmp_path / "a", read_base())
    (tmp_path / "b").mkdir()
    write_wheel(tmp_path / "b/demo-2.0-py3-none-any.whl", None)
    for name in "ab":
        plan_index(tmp_path / name).write()
    with serve(tmp_path) as server:
        yield server.url


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["explain", *arguments, "--target", "h100@580"])
    return (code, *capsys.readouterr())


def test_each_installer_sees_a_release_of_its_own(
    served: str, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = f"{served}/a/simple/", f"{served}/b/simple/"
    code, out, err = explained(capsys, "demo", "--index-url", b, "--extra-index-url", a, "--json")

    found = json.loads(out)
    assert (code, err, found["version"], found["source"]) == (0, "", "1.0", f"{a}demo/")
    assert found["indexes"] == [f"{FIRST}: {a}; it does not look at {b}", f"{NEWEST}: 2.0 of {b}"]
    assert [(it["installer"], it["version"], it["winner"], it["takes"])
            for it in found["machines"][0]["installers"]] == [
        ("provider", "1.0", "cuda13.0", "variant"),
        ("uv", "1.0", "cuda13.0", "variant"),
        ("pip", "2.0", None, "ordinary"),
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["address", "configured", "uv's option"])
def test_indexes_are_named_or_configured(
    form: str, served: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = f"{served}/a/simple/", f"{served}/b/simple/"
    if form == "address":
        arguments = [b, "--package", "demo==1.0", "--extra-index-url", a]
    elif form == "configured":
        monkeypatch.setenv("PIP_INDEX_URL", b)
        monkeypatch.setenv("UV_DEFAULT_INDEX", b)
        monkeypatch.setenv("UV_INDEX", f"mine={a}")
        arguments = ["demo", "--configured"]
    else:
        arguments = ["demo", "--default-index", b, "--index", a]
    code, out, err = explained(capsys, *arguments)

    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[:3] == [
        f"demo 1.0: {a}demo/",
        f"{FIRST}: {a}; it does not look at {b}",
        f"{NEWEST}: {'1.0 of ' + a if form == 'address' else '2.0 of ' + b}",
    ]


def test_what_is_not_judged_is_named(
    served: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.uv]\nindex-strategy = "unsafe-best-match"\nfind-links = ["x"]\n'
        '[tool.uv.sources]\ndemo = { index = "a" }\n'
    )
    _, _, err = explained(capsys, "demo", "--index-url", f"{served}/b/simple/")

    assert [it.partition("not judged here: ")[2] for it in err.splitlines()[:3]] == [
        "uv's strategy for indexes is not the default: the first index is taken",
        "folders and pages of find-links, which are configured",
        "[tool.uv.sources] names an index for demo, which uv asks alone",
    ]


def test_an_index_that_fails_stops_uv_alone(
    served: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dead = "http://127.0.0.1:9/simple/"
    a = f"{served}/a/simple/"
    code, out, err = explained(capsys, "demo", "--index-url", a, "--extra-index-url", dead)

    assert (code, "uv (its own copy, rule set 0): nothing" in out) == (0, True)
    assert f"uv stops at an index that fails: {dead}demo/: " in err
    assert f"pip goes on without an index that fails: {dead}demo/: " in out


def test_a_project_that_no_index_has_is_an_error(
    served: str, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = ["--index-url", f"{served}/c/simple/", "--index", f"{served}/d/simple/"]
    code, out, err = explained(capsys, "demo", *missing)

    assert (code, out) == (2, "")
    assert "no index of uv has demo; no index of pip has demo" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--installed", "demo", "--index", "http://a/"], "expected no index beside it"),
        (
            ["--index", "http://a/"],
            "several indexes: '': expected a requirement such as 'torch==2.14.1'",
        ),
        (
            ["a b", "--index", "http://a/"],
            "several indexes: 'a b': expected a requirement such as 'torch==2.14.1'",
        ),
        (["http://a/", "--index", "http://b/"], "expected an address once, and a project"),
        (
            ["http://a/", "--package", "a", "--index-url", "http://b/"],
            "expected an address once, and a project",
        ),
    ],
)
def test_misuse_is_explained(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = explained(capsys, *arguments)

    assert (code, out) == (2, "")
    assert words in err
