"""The Dockerfile examples: ENV lines have not drifted, and RUN lines do what they say."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import installed_label
from nvidia_variant_provider import overrides
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.demo.releases import write_releases
from tests.dockerfiles import Builder, Instruction, StepError, parse_dockerfile, plain_env
from tests.tools.lint.serving import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "examples" / "docker"
LABELS = {"ci": "null", "gb200": "cuda13.2_sbsa", "gh200": "cuda13.2_sbsa"}
ARCHITECTURES = {"ci": "x86_64", "gb200": "aarch64", "gh200": "aarch64"}
TOOLS = "pip install "

clients = pytest.mark.clients


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.Dockerfile").read_text("utf-8")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the stand-in torch releases as the project's own index."""
    folder = tmp_path_factory.mktemp("index")
    write_releases(folder)
    assert main(["index", str(folder)]) == 0
    with serve(folder) as served:
        yield f"{served.url}/simple/"


def builder(folder: Path, name: str, index: str) -> Builder:
    """Give the steps what the base image and its ``pip install`` give, and nothing of this machine.

    uv is told the architecture of the image, which it would see in one.
    """
    commands = folder / "bin"
    commands.mkdir()
    for tool in ("uv", "nvidia-variant-provider"):
        (commands / tool).symlink_to(Path(sys.executable).parent / tool)
    (commands / "python3").symlink_to(Path(sys.executable).resolve())
    (folder / "empty").mkdir()
    settings = folder / "uv.toml"
    settings.write_text(f'[pip]\npython-platform = "{ARCHITECTURES[name]}-manylinux_2_28"\n')
    environ = {
        "PATH": str(commands),
        "HOME": str(folder),
        "UV_CACHE_DIR": str(folder / "cache"),
        "UV_CONFIG_FILE": str(settings),
        "UV_PYTHON_DOWNLOADS": "never",
        overrides.ROOT: str(folder / "empty"),
    }
    return Builder(folder, environ, {"INDEX": index}, prepared=(TOOLS,))


def test_every_example_is_known_here_and_listed_in_the_readme() -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")
    names = {path.name for path in FOLDER.glob("*.Dockerfile")}

    assert names == {f"{name}.Dockerfile" for name in LABELS}
    assert names == set(re.findall(r"\]\((\S+\.Dockerfile)\)", readme))


def test_every_folder_of_examples_is_listed() -> None:
    readme = (ROOT / "examples" / "README.md").read_text("utf-8")
    folders = {path.parent.name for path in (ROOT / "examples").glob("*/README.md")}

    assert set(re.findall(r"\]\((\w+)/README\.md\)", readme)) == folders


@pytest.mark.parametrize(
    "page", sorted((ROOT / "examples").rglob("*.md")), ids=lambda it: it.parent.name
)
def test_links_of_the_examples_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))

    assert [it for it in links if not (page.parent / it).exists()] == []


def test_a_dockerfile_is_read_as_docker_reads_it() -> None:
    text = "# c\nFROM a AS b\n\nRUN one \\\n  # a comment within\n  two\nenv X=1\n"

    assert parse_dockerfile(text) == [
        Instruction("FROM", "a AS b"),
        Instruction("RUN", "one two"),
        Instruction("ENV", "X=1"),
    ]


def test_env_lines_are_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    text = text_of("gh200")
    command = re.search(r"^# nvidia-variant-provider (properties .*)$", text, re.MULTILINE)
    assert command is not None
    assert main(shlex.split(command[1])) == 0
    printed = capsys.readouterr().out

    assert f"{command[0]}\n{printed}" in text
    # There is no other line of ours, which the comparison would miss.
    ours = [line for line in text.splitlines() if line.startswith("ENV")]
    assert ours == [line for line in printed.splitlines() if line.startswith("ENV")]


@pytest.mark.parametrize("name", LABELS)
def test_no_variable_of_ours_is_set_but_where_it_is_the_point(name: str) -> None:
    set_here = dict(
        plain_env(it.text) for it in parse_dockerfile(text_of(name)) if it.word == "ENV"
    )

    assert any(it.startswith(overrides.PREFIX) for it in set_here) is (name == "gh200")


@pytest.mark.parametrize("name", LABELS)
def test_the_tools_are_the_ones_that_are_tested(name: str) -> None:
    (line,) = [it.text for it in parse_dockerfile(text_of(name)) if it.text.startswith(TOOLS)]
    uv, provider = shlex.split(line)[-2:]
    (copied,) = [
        it.text
        for it in parse_dockerfile(text_of(name))
        if it.word == "COPY" and " . " in f" {it.text}"
    ]

    assert f'"{uv}"' in (ROOT / "pyproject.toml").read_text("utf-8")
    # The checkout is the context of the build: PyPI has another package under this name.
    assert provider == f"{copied.split()[1]}[tools]"


@clients
@pytest.mark.parametrize("name", LABELS)
def test_the_steps_install_the_build_they_promise(name: str, index: str, tmp_path: Path) -> None:
    image = builder(tmp_path, name, index)
    instructions = parse_dockerfile(text_of(name))
    folder = image.build(instructions)
    (site,) = folder.glob(".venv/lib/python3*/site-packages")

    assert installed_label(site, "torch", "2.14.1") == LABELS[name]
    assert len(image.skipped) == 1
    # The check names the label too, so that a wrong one would have stopped the build.
    assert re.search(rf"--expect {LABELS[name]}$", text_of(name), re.MULTILINE)


@clients
@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("gh200", "--target gh200@580 \\", "--target gh200@570 \\", "uv selects cuda12.6_sbsa"),
        # The view stops it before the check does.
        ("gb200", "@580", "@570", "2.14.1 is not shown: no build for this GPU"),
        ("ci", "h100@580", "b200@570", "--require-gpu: b200@570: uv selects null"),
        ("ci", "--expect null", "--expect cuda12.6", "provider selects null"),
    ],
    ids=lambda it: it.replace(" ", "_").strip("\\_"),
)
def test_a_check_stops_the_build(
    name: str, old: str, new: str, said: str, index: str, tmp_path: Path
) -> None:
    text = text_of(name)
    assert old in text

    with pytest.raises(StepError, match=re.escape(said)):
        builder(tmp_path, name, index).build(parse_dockerfile(text.replace(old, new)))


@clients
def test_without_the_env_lines_uv_takes_the_cpu_build(index: str, tmp_path: Path) -> None:
    steps = [
        it
        for it in parse_dockerfile(text_of("gh200"))
        if not (it.word == "ENV" and it.text.startswith(overrides.PREFIX))
    ]
    folder = builder(tmp_path, "gh200", index).build(steps)
    (site,) = folder.glob(".venv/lib/python3*/site-packages")

    assert installed_label(site, "torch", "2.14.1") == "null"
