"""uv's settings: which files count, in which order its indexes are asked, what sends it elsewhere.

What uv does was tried with the version of uv that the tests run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tables.cuda_indexes import TORCH_INDEX
from nvidia_variant_provider.tools.installers.uv_indexes import (
    Detours,
    read_uv,
    uv_detours,
    uv_has_variants_on,
)

if TYPE_CHECKING:
    from pathlib import Path

A, B, C, D, E, F, G, H = (f"https://{letter}.example/simple/" for letter in "abcdefgh")
FILE = f"""\
index-url = "{A}"
extra-index-url = ["{B}"]
[[index]]
url = "{C}"
[[index]]
url = "{D}"
default = true
[pip]
index-url = "{E}"
extra-index-url = ["{F}"]
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def asked(
    folder: Path, environ: dict[str, str], options: dict[str, list[str]], command: str = "uv pip"
) -> list[str]:
    """Return the indexes in the order in which uv asks them."""
    settings = {"HOME": str(folder / "home"), "XDG_CONFIG_DIRS": str(folder), **environ}
    configured = read_uv(settings, options, str(folder), command.split())
    return [*configured.extra, configured.index_url]


@pytest.mark.parametrize(
    ("environ", "options", "order"),
    [
        ({}, {}, [C, F, B, D]),
        ({"UV_INDEX": f"g={G} {H}"}, {}, [G, H, C, F, B, D]),
        ({"UV_INDEX": G}, {"index": [H]}, [H, C, F, B, D]),
        ({"UV_INDEX": G, "UV_EXTRA_INDEX_URL": H}, {}, [G, C, H, F, B, D]),
        ({"UV_EXTRA_INDEX_URL": G}, {"extra-index-url": [H]}, [C, H, F, B, D]),
        ({"UV_DEFAULT_INDEX": G, "UV_INDEX_URL": H}, {}, [C, F, B, G]),
        ({"UV_DEFAULT_INDEX": G}, {"index-url": [H]}, [C, F, B, G]),
        ({"UV_DEFAULT_INDEX": G}, {"default-index": [H]}, [C, F, B, H]),
        ({"UV_DEFAULT_INDEX": f"name={G}"}, {}, [C, F, B, G]),
        ({}, {"default-index": [f"name={G}"], "index": [f"x={H}"]}, [H, C, F, B, G]),
        ({"UV_INDEX_URL": H}, {}, [C, F, B, H]),
    ],
    ids=str,
)
def test_indexes_are_in_uv_s_order(
    tmp_path: Path, environ: dict[str, str], options: dict[str, list[str]], order: list[str]
) -> None:
    write(tmp_path / "uv.toml", FILE)

    assert asked(tmp_path, environ, options) == order


def test_the_section_pip_is_for_uv_pip_alone_and_the_project_for_no_tool(tmp_path: Path) -> None:
    write(tmp_path / "uv.toml", FILE.replace("default = true\n", ""))
    write(tmp_path / "home" / ".config" / "uv" / "uv.toml", f'index-url = "{H}"\n')

    assert asked(tmp_path, {}, {}) == [C, D, F, B, E]
    assert asked(tmp_path, {}, {}, "uv sync") == [C, D, B, A]
    assert asked(tmp_path, {}, {}, "uv tool install app") == [H]
    assert asked(tmp_path, {}, {}, "uvx app") == [H]


def test_a_name_is_asked_at_the_address_that_was_given_last(tmp_path: Path) -> None:
    write(tmp_path / "uv.toml", f'[[index]]\nname = "c"\nurl = "{C}"\n')

    assert asked(tmp_path, {"UV_INDEX": f"c={G}"}, {}) == [G, ""]


@pytest.mark.parametrize(
    ("environ", "options", "order"),
    [
        ({}, {}, [A]),
        ({}, {"directory": ["sub"]}, [B]),
        ({"UV_WORKING_DIR": "sub"}, {}, [B]),
        ({}, {"project": ["sub"]}, [B]),
        ({"UV_PROJECT": "sub"}, {}, [B]),
        ({}, {"config-file": ["sub/uv.toml"]}, [B]),
        ({"UV_CONFIG_FILE": "sub/uv.toml"}, {"no-config": [""]}, [B]),
        ({"UV_CONFIG_FILE": "uv.toml"}, {"directory": ["sub"]}, [B]),
        ({"UV_NO_CONFIG": "1"}, {}, [""]),
        ({"UV_NO_CONFIG": "0"}, {}, [A]),
        ({}, {"no-config": [""]}, [""]),
    ],
    ids=str,
)
def test_uv_s_files_are_found_from_the_folder_that_it_is_told(
    tmp_path: Path, environ: dict[str, str], options: dict[str, list[str]], order: list[str]
) -> None:
    write(tmp_path / "uv.toml", f'index-url = "{A}"\n')
    write(tmp_path / "sub" / "uv.toml", f'index-url = "{B}"\n')

    assert asked(tmp_path, environ, options) == order


def test_files_of_project_person_and_system_are_joined(tmp_path: Path) -> None:
    table = '[[index]]\nurl = "{}"\n'
    write(tmp_path / "uv.toml", table.format(A))
    write(tmp_path / "home" / ".config" / "uv" / "uv.toml", f'index-url = "{D}"\n{table.format(B)}')
    write(tmp_path / "xdg" / "uv" / "uv.toml", f'index-url = "{E}"\n{table.format(C)}')

    assert asked(tmp_path, {"XDG_CONFIG_DIRS": str(tmp_path / "xdg")}, {}) == [A, B, C, D]


def test_a_workspace_s_root_counts_and_no_file_below_a_project_s(tmp_path: Path) -> None:
    index = '[tool.uv]\nindex-url = "{}"\n'
    project = '[project]\nname = "x"\n'
    write(
        tmp_path / "pyproject.toml",
        f'{index.format(A)}workspace = {{ members = ["pk/*"], exclude = ["pk/out"] }}\n{project}',
    )
    for name in ("pk/in", "pk/out", "other"):
        write(tmp_path / name / "pyproject.toml", index.format(B) + project)
    write(tmp_path / "pk" / "in" / "uv.toml", f'index-url = "{C}"\n')
    write(tmp_path / "other" / "sub" / "uv.toml", f'index-url = "{C}"\n')
    found = {
        name: asked(tmp_path / name, {}, {}) for name in ("pk/in", "pk/out", "other", "other/sub")
    }

    assert found == {"pk/in": [A], "pk/out": [B], "other": [B], "other/sub": [B]}


def test_paths_in_a_file_are_those_from_its_folder(tmp_path: Path) -> None:
    write(tmp_path / "uv.toml", 'find-links = ["./links"]\n[[index]]\nurl = "./own"\n')
    (tmp_path / "sub").mkdir()
    environ = {"HOME": str(tmp_path / "home"), "UV_FIND_LINKS": "more"}
    settings = read_uv(environ, {}, str(tmp_path / "sub"))

    assert settings.extra == (f"{tmp_path}/./own",)
    assert settings.find_links == (f"{tmp_path}/sub/more", f"{tmp_path}/./links")


def test_credentials_of_a_name_are_those_of_its_index(tmp_path: Path) -> None:
    write(tmp_path / "uv.toml", f'[[index]]\nname = "corp.a"\nurl = "{A}"\n')
    environ = {
        "UV_INDEX_CORP_A_USERNAME": "me",
        "UV_INDEX_CORP_A_PASSWORD": "w:rd",
        "UV_INDEX_B_PASSWORD": "token",
        "UV_INDEX": f"b={B.replace('//', '//old:one@')} {C}",
    }

    assert asked(tmp_path, environ, {}) == [
        "https://:token@b.example/simple/",
        C,
        "https://me:w%3Ard@a.example/simple/",
        "",
    ]


def test_codes_after_which_uv_asks_the_next_index_are_kept(tmp_path: Path) -> None:
    write(tmp_path / "uv.toml", f'[[index]]\nurl = "{A}"\nignore-error-codes = [401, 403]\n')

    assert read_uv({"HOME": "/no"}, {}, str(tmp_path)).passed_over == ((A, (401, 403)),)


def test_what_would_send_uv_past_the_view_is_left_out_and_all_else_kept(tmp_path: Path) -> None:
    write(
        tmp_path / "pyproject.toml",
        f'[tool.uv]\nindex = [{{ url = "{A}" }}]\nexclude-newer = "2026-01-01T00:00:00Z"\n'
        'constraint-dependencies = ["torch<2.15"]\ntorch-backend = "cu126"\nmanaged = true\n'
        '[tool.uv.pip]\nno-index = true\nresolution = "lowest"\n'
        '[tool.uv.sources]\ntorch = { index = "cu130" }\nother = { path = "x" }\n',
    )
    environ = {"HOME": str(tmp_path / "home"), "UV_NO_SOURCES_PACKAGE": "mine"}
    command = ("uv", "pip", "install", "torch")
    found = uv_detours(environ, {}, str(tmp_path), command, ["torch", "other"])

    assert found == Detours(
        {
            "exclude-newer": "2026-01-01T00:00:00Z",
            "constraint-dependencies": ["torch<2.15"],
            "pip": {"resolution": "lowest"},
        },
        ("index", "torch-backend", "pip.no-index"),
        {"UV_NO_SOURCES_PACKAGE": "mine torch"},
    )


def test_a_proxy_of_uv_s_files_is_the_view_s_and_keeps_off_this_machine(tmp_path: Path) -> None:
    write(tmp_path / "uv.toml", 'https-proxy = "http://p.example:1"\nno-proxy = ["a.example"]\n')
    environ = {"HOME": str(tmp_path / "home"), "HTTPS_PROXY": "http://other.example"}
    settings = read_uv(environ, {}, str(tmp_path))
    found = uv_detours(environ, {}, str(tmp_path), ("uv", "pip"), [])

    assert settings.proxies == (
        ("http_proxy", ""),
        ("https_proxy", "http://p.example:1"),
        ("no_proxy", "a.example"),
    )
    assert found.rest["no-proxy"] == ["a.example", "127.0.0.1", "localhost"]
    assert [note[:28] for note in found.notes] == ["uv's files set https-proxy: "]


def test_sources_of_a_project_that_a_command_names_count(tmp_path: Path) -> None:
    write(tmp_path / "app" / "pyproject.toml", '[tool.uv.sources]\ntorch = { index = "x" }\n')
    environ = {"HOME": str(tmp_path / "home")}
    command = ("uv", "pip", "install", "-e", "./app[gpu]")

    assert uv_detours(environ, {}, str(tmp_path), command, ["torch"]).variables == {
        "UV_NO_SOURCES_PACKAGE": "torch"
    }
    assert uv_detours(environ, {}, str(tmp_path), ("uv", "pip"), ["torch"]) == Detours()


@pytest.mark.parametrize(
    ("environ", "words", "is_on"),
    [
        ({}, ["uv", "pip", "install"], False),
        ({"UV_PREVIEW_FEATURES": "a,wheel-variants"}, ["uv"], True),
        ({}, ["uv", "pip", "--preview-features", "wheel-variants"], True),
        ({}, ["uv", "--preview-features=wheel-variants"], True),
        ({"UV_PREVIEW": "1"}, ["uv"], True),
        ({}, ["uv", "--directory", "on", "pip", "install"], True),
        ({}, ["uv", "run", "x", "--directory", "on"], False),
    ],
    ids=str,
)
def test_switched_on_variants_of_uv_are_seen(
    tmp_path: Path,
    environ: dict[str, str],
    words: list[str],
    is_on: bool,  # noqa: FBT001
) -> None:
    write(tmp_path / "on" / "uv.toml", 'preview-features = ["wheel-variants"]\n')
    settings = {"HOME": str(tmp_path), **environ}

    assert uv_has_variants_on(settings, words, str(tmp_path)) is is_on


def test_sources_of_a_workspace_count_for_its_members(tmp_path: Path) -> None:
    write(
        tmp_path / "pyproject.toml",
        '[project]\nname = "x"\n[tool.uv.workspace]\nmembers = ["a", "b"]\n'
        '[tool.uv.sources]\ntorch = { index = "x" }\n',
    )
    for name, sources in (("a", ""), ("b", '[tool.uv.sources]\ntorch = { path = "t" }\n')):
        write(tmp_path / name / "pyproject.toml", f'[project]\nname = "{name}"\n{sources}')
    environ = {"HOME": str(tmp_path / "home")}
    command = ("uv", "pip", "install", "-e", ".")
    found = {
        name: uv_detours(environ, {}, str(tmp_path / name), command, ["torch"]).variables
        for name in ("a", "b")
    }

    assert found == {"a": {"UV_NO_SOURCES_PACKAGE": "torch"}, "b": {}}


def test_a_project_that_is_pinned_to_an_index_is_asked_there_unless_it_is_pytorch_s(
    tmp_path: Path,
) -> None:
    write(
        tmp_path / "pyproject.toml",
        '[project]\nname = "x"\n[tool.uv.sources]\n'
        'torch = [{ index = "corp", marker = "x" }, { index = "pt" }]\n'
        'torchvision = { index = "pt" }\nxformers = { index = "no-such" }\n'
        f'[[tool.uv.index]]\nname = "corp"\nurl = "{A}"\nexplicit = true\n'
        f'[[tool.uv.index]]\nname = "pt"\nurl = "{TORCH_INDEX}/cu126"\nexplicit = true\n',
    )
    environ = {"HOME": str(tmp_path / "home"), "UV_INDEX_CORP_PASSWORD": "w"}
    projects = ["torch", "torchvision", "xformers"]
    found = uv_detours(environ, {}, str(tmp_path), ("uv", "pip"), projects)

    assert found.variables == {"UV_NO_SOURCES_PACKAGE": "torch torchvision xformers"}
    assert found.pinned == (("torch", (A.replace("//", "//:w@"),)),)
