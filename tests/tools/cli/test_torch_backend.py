"""``torch-backend``: one word on stdout, the reasons on stderr."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from nvidia_variant_provider.overrides import ROOT
from nvidia_variant_provider.tables.cuda_indexes import JETSON_INDEXES, TORCH_INDEX
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.installers.configured import Configured
from nvidia_variant_provider.tools.views.cuda_catalogue import OnIndexes, read_configured
from tests.tools.lint.serving import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = Path(__file__).parents[3] / "schemas" / "torch-backend.schema.json"


@pytest.fixture(autouse=True)
def nothing_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home in which neither pip nor uv is configured; return it."""
    for name in [it for it in os.environ if it.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_CACHE_HOME", "VIRTUAL_ENV"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.chdir(home)
    return home


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["torch-backend", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_path_is_alone_on_stdout_and_the_reasons_are_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = output_of(capsys, "--target", "gtx-1080-ti@580", "--torch", "2.14")

    assert (code, out) == (0, "cu126\n")
    assert err.splitlines() == [
        "note: torch 2.14.1 for linux-x86_64",
        "note: not cu132: no device code for 6.1: the build has 75 80 86 90 100 120",
        "note: not cu130: no device code for 6.1: the build has 75 80 86 90 100 120",
        "note: cu126: 60_real runs on 6.1; it needs driver 525.60.13 or newer",
        (
            "note: uv --torch-backend=auto takes cu132: it goes by the driver's number alone, "
            "not by the GPU"
        ),
        "note: pip without an index takes a wheel for CUDA 13.0",
        "note: torch 2.14.1 pairs with torchvision 0.29.1; torchaudio ended with 2.11.0",
        f"hint: pip install torch==2.14.1 torchvision==0.29.1 --index-url {TORCH_INDEX}/cu126",
    ]


def test_the_assumed_release_and_driver_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = output_of(capsys, "--target", "gh200")

    assert (code, out) == (0, "cu132\n")
    assert "no torch version was named: 2.15.0 is assumed, the newest known" in err
    assert "no driver was named: R580 (CUDA 13.0) is assumed; for an older one, name it" in err


def test_without_a_version_the_newest_torch_that_fits_counts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = output_of(capsys, "--target", "v100@580")

    assert (code, out) == (0, "cu126\n")
    assert "2.14.1 is assumed, the newest with a build that fits (2.15.0: none)" in err


@pytest.mark.parametrize("allowed", [False, True], ids=["", "--allow-cpu"])
def test_where_no_build_fits_the_gpu_the_word_is_no_folder(
    allowed: bool,  # noqa: FBT001 - the option
    capsys: pytest.CaptureFixture[str],
) -> None:
    option = ["--allow-cpu"] if allowed else []
    code, out, err = output_of(capsys, "--target", "b200@570", "--torch", "2.14", *option)

    assert (code, out) == ((0, "cpu\n") if allowed else (1, "no-build\n"))
    assert err.startswith("warning: no build of torch 2.14.1 fits this machine\n")
    assert "hint: the newest older torch with a build that fits: 2.13.0 cu129" in err
    assert ("--allow-cpu" in err) is not allowed


@pytest.mark.parametrize(
    ("target", "torch", "printed"),
    [("h100@580", "2.14", f"{TORCH_INDEX}/cu132\n"), ("b200@570", "2.14", "")],
)
def test_the_address_is_printed_whole_or_not_at_all(
    target: str, torch: str, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = output_of(capsys, "--url", "--target", target, "--torch", torch)

    assert (code, out) == (0 if printed else 1, printed)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ("--target t4@470 --torch 2.14", "newest older torch with a build that fits: 2.7.1 cu118"),
        (
            "--target t4@470 --torch 2.14",
            "with driver 580.65.06 or newer, cu132 of torch 2.14.1 fits",
        ),
        ("--target rtx-5090@570 --torch 2.6", "oldest newer torch with a build that fits: 2.7.0"),
        ("--target jetson-orin@jetpack6", f"--index-url {JETSON_INDEXES[1].address}"),
        ("--target jetson-orin@jetpack6", "NVIDIA has an index of builds for Jetson"),
        (
            "--target gtx-1650@516 --torch 2.14 --platform windows-x86_64",
            "with driver 528.33 or newer, cu126 of torch 2.14.1 fits",
        ),
        ("--target h100@580 --platform windows-aarch64", "CPU wheels only for Windows on Arm"),
    ],
)
def test_what_would_help_is_named(
    arguments: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = output_of(capsys, *arguments.split())

    assert (code, out) == (1, "no-build\n")
    assert hint in err


def test_a_torch_newer_than_the_table_has_the_builds_of_the_newest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = output_of(capsys, "--target", "h100@580", "--torch", "2.16")

    assert (code, out) == (0, "cu132\n")
    assert "torch 2.16 is not in the table of builds: those of 2.15.0 are assumed" in err


def test_wheels_without_a_label_are_asked_for_without_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, _, err = output_of(capsys, "--target", "gh200@570", "--torch", "2.5")

    assert "ask for torch==2.5.1, without a label" in err
    assert "which GPUs cu124 of torch 2.5.1 has code for is not verified" in err


def test_a_machine_without_gpu_is_served_by_the_cpu_build(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "machine.json"
    path.write_text('{"status": "none", "platform": {"architecture": "x86_64"}}')
    code, out, _ = output_of(capsys, "--machine", str(path))

    assert (code, out) == (0, "cpu\n")


def test_a_gpu_left_out_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = output_of(capsys, "--target", "p100+b200@580")

    assert "no build has code for every GPU; cu132 serves the most of them" in err


@pytest.mark.parametrize("target", ["gtx-1080-ti@580", "jetson-orin@jetpack6", "b200@570"])
def test_json_fits_its_schema(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = output_of(capsys, "--target", target, "--json")
    document = json.loads(out)
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))

    assert output_of(capsys, "--target", target)[:2] == (code, f"{document['path']}\n")


def test_json_names_what_was_assumed_and_what_else_fits(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, out, err = output_of(capsys, "--target", "rtx-5090", "--torch", "2.6", "--json")
    document = json.loads(out)

    assert document["other"] == {"torch": "2.7.0", "path": "cu128"}
    assert (document["path"], document["url"]) == ("no-build", None)
    assert [f"note: {text}" for text in document["assumed"]] == err.splitlines()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--torch", "1.13"], "torch 1.13: the table of builds begins with 2.0.0"),
        (["--torch", "newest"], "torch 'newest': expected a version such as 2.14"),
        (["--target", "gh20"], "did you mean gh200"),
    ],
    ids=str,
)
def test_misuse_is_exit_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = output_of(capsys, *arguments)

    assert (code, out) == (2, "")
    assert words in err


def test_a_platform_without_cuda_builds_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "machine.json"
    path.write_text('{"gpus": [], "platform": {"system": "darwin", "architecture": "arm64"}}')
    code, _, err = output_of(capsys, "--machine", str(path))

    assert (code, "torch has no CUDA builds for darwin on arm64" in err) == (2, True)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """Serve an index of PyTorch's layout, with a release and a build that no table knows."""
    wheels = {
        "1.13.1": ("cu117", "cpu"),
        "2.14.1": ("cu126", "cu130", "cpu"),
        "2.99.0": ("cu130", "cu134", "cpu"),
    }
    page = tmp_path / "whl" / "torch"
    page.mkdir(parents=True)
    links = [
        f'<a href="/whl/{label}/torch-{release}%2B{label}-cp313-cp313-manylinux_2_28_{cpu}.whl">'
        f"torch-{release}+{label}-cp313-cp313-manylinux_2_28_{cpu}.whl</a>"
        for release, labels in wheels.items()
        for label in labels
        for cpu in ("x86_64",)
    ]
    (page / "index.html").write_text("<!DOCTYPE html><html><body>" + "\n".join(links), "utf-8")
    with serve(tmp_path) as served:
        yield f"{served.url}/whl"


@pytest.mark.parametrize(
    ("arguments", "path", "words"),
    [
        ("--target h100@580", "cu134", "2.99.0 is assumed, the newest on the index"),
        ("--target h100@580", "cu134", "the device code of 2.15.0 is assumed"),
        ("--target v100@580", "cu126", "2.14.1 is assumed, the newest with a build that fits"),
        ("--target h100@570 --torch 2.99", "no-build", "newest older torch with a build that fits"),
        # 1.13.1 is older than the table, so that nothing is known of its builds.
        ("--target k80@470", "no-build", "no build of torch 2.99.0 fits this machine"),
    ],
)
def test_what_exists_is_read_from_an_index(
    arguments: str, path: str, words: str, index: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = output_of(capsys, "--index", index, *arguments.split())

    assert (code, out) == (1 if path == "no-build" else 0, f"{path}\n")
    assert words in err


def test_the_address_is_that_of_the_index(index: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = output_of(capsys, "--index", index, "--url", "--target", "v100@580")

    assert out == f"{index}/cu126\n"
    assert f"--index-url {index}/cu126\n" in err


@pytest.mark.parametrize("folder", ["/cu134", "/cpu/"])
def test_the_address_of_one_folder_means_the_index_above_it(
    folder: str, index: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = output_of(capsys, "--index", index + folder, "--url", "--target", "v100@580")[1]

    assert out == f"{index}/cu126\n"


def test_a_folder_without_an_index_above_it_is_all_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(tmp_path / "mine" / "cu126" / "torch", {"2.14.1": "cu126"})
    with serve(tmp_path) as served:
        index = f"{served.url}/mine/cu126"
        out = output_of(capsys, "--index", index, "--url", "--target", "h100@580")[1]

    assert out == f"{index}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--torch", "2.15"), "torch '2.15': the index has no such release: http://127"),
        (("--torch", "1.13"), "torch 1.13: the table of builds begins with 2.0.0"),
        (("--platform", "linux-aarch64"), "no wheels of torch for linux-aarch64 there"),
    ],
)
def test_what_the_index_does_not_have_is_an_error(
    arguments: tuple[str, ...], words: str, index: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = output_of(capsys, "--index", index, "--target", "h100@580", *arguments)

    assert (code, out) == (2, "")
    assert words in err


CONFIGURED = {
    "pip.conf, beside an index without builds by CUDA": (
        "pip.conf",
        "[global]\nindex-url = {plain}/\nextra-index-url = {index}/cu126\n",
    ),
    "uv.toml, an index for all": ("uv.toml", '[[index]]\nurl = "{index}/cu126"\n'),
    "pyproject.toml, an index for torch alone": (
        "pyproject.toml",
        '[[tool.uv.index]]\nname = "t"\nurl = "{index}/cu126"\nexplicit = true\n',
    ),
}


def configure(home: Path, file: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / file).write_text(text, "utf-8")
    if file == "pip.conf":
        monkeypatch.setenv("PIP_CONFIG_FILE", str(home / file))


@pytest.mark.parametrize(("file", "text"), CONFIGURED.values(), ids=CONFIGURED)
def test_a_configured_folder_of_one_cuda_says_what_exists(
    file: str,
    text: str,
    index: str,
    nothing_configured: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain = f"{index.removesuffix('/whl')}/none"
    configure(nothing_configured, file, text.format(index=index, plain=plain), monkeypatch)
    code, out, err = output_of(capsys, "--target", "h100@580", "--url")

    assert (code, out) == (0, f"{index}/cu134\n")
    assert "2.99.0 is assumed, the newest on the index" in err


def write_folder(page: Path, labels: dict[str, str]) -> None:
    """Write a page of torch with a wheel for each release, as many servers have it: no address."""
    page.mkdir(parents=True)
    names = [
        f"torch-{release}{f'+{label}' if label else ''}-cp313-cp313-manylinux_2_28_x86_64.whl"
        for release, label in labels.items()
    ]
    links = "".join(f'<a href="{name.replace("+", "%2B")}">{name}</a>' for name in names)
    (page / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}", "utf-8")


@pytest.mark.parametrize(
    ("target", "path", "folder"),
    [("v100@580", "cu126", "pytorch-cu126"), ("h100@580", "cu134", "pytorch_cu134"),
     ("", "cpu", "")],
)  # fmt: skip
def test_indexes_whose_names_end_in_a_label_are_folders_of_their_own(
    target: str,
    path: str,
    folder: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_folder(tmp_path / "api" / "pytorch-cu126" / "simple" / "torch", {"2.14.1": "cu126"})
    write_folder(tmp_path / "api" / "pytorch_cu134" / "simple" / "torch", {"2.99.0": ""})
    write_folder(tmp_path / "api" / "mirror" / "simple" / "torch", {"2.15.0": "", "2.98.0": ""})
    with serve(tmp_path) as served:
        login = served.url.replace("//", "//me:secret@")
        indexes = [f"{login}/api/{name}/simple/" for name in ("pytorch-cu126", "pytorch_cu134")]
        monkeypatch.setenv("PIP_INDEX_URL", f"{served.url}/api/mirror/simple")
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", " ".join(indexes))
        monkeypatch.setenv("NV_VARIANT_PROVIDER_ROOT", "/var/empty-no-such-root")
        named = ["--target", target] if target else []
        code, out, err = output_of(capsys, "--url", *named)
        path_code, path_out, _ = output_of(capsys, *named)

    assert (code, out) == (0, f"{served.url}/api/{folder}/simple/\n" if folder else "")
    assert (path_code, path_out) == (0, f"{path}\n")
    assert "secret" not in err


def test_a_cpu_wheel_in_find_links_says_nothing_of_the_other_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "torch-2.13.0+cpu-cp313-cp313-manylinux_2_28_x86_64.whl").touch()
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    code, out, _ = output_of(capsys, "--torch", "2.14", "--target", "v100@580")

    assert (code, out) == (0, "cu126\n")


@pytest.mark.parametrize("is_folder", [True, False], ids=["folder", "page"])
def test_wheels_of_find_links_say_what_exists(
    is_folder: bool,  # noqa: FBT001 - a parameter
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = tmp_path / "wheels"
    write_folder(page, {"2.13.0": "cu126", "2.14.1": "cu130"})
    for release, label in (("2.13.0", "cu126"), ("2.14.1", "cu130")):
        (page / f"torch-{release}+{label}-cp313-cp313-manylinux_2_28_x86_64.whl").touch()
    with serve(tmp_path) as served:
        monkeypatch.setenv("PIP_FIND_LINKS", str(page) if is_folder else f"{served.url}/wheels/")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        code, out, err = output_of(capsys, "--target", "v100@580")
        url = output_of(capsys, "--target", "v100@580", "--url")

    assert (code, out) == (0, "cu126\n")
    assert url[:2] == (0, "")
    assert "hint: pip install torch==2.13.0+cu126 torchvision==0.28.0\n" in err


def test_an_index_without_builds_by_cuda_names_the_releases(
    index: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index)
    code, out, err = output_of(capsys, "--target", "h100@580", "--url")

    assert (code, out) == (0, f"{TORCH_INDEX}/cu132\n")
    assert "2.99.0 is assumed, the newest on the index" in err
    assert "torch 2.99.0 is not in the table of builds: those of 2.15.0 are assumed" in err
    assert output_of(capsys, "--target", "v100@580", "--torch", "2.14")[1] == "cu126\n"


@pytest.mark.parametrize("no_network", ["--no-index", "PIP_NO_INDEX"])
def test_no_index_is_asked_where_none_shall_be(
    no_network: str,
    index: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"{index}/cu126")
    option = [no_network] if no_network.startswith("-") else []
    if not option:
        monkeypatch.setenv(no_network, "1")
    _, _, err = output_of(capsys, "--target", "h100@580", *option)

    assert "2.15.0 is assumed, the newest known" in err


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_a_configured_index_that_is_away_leaves_the_table_and_a_warning(
    form: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://someone:secret@127.0.0.1:9/whl/cu126")
    code, out, err = output_of(capsys, "--target", "h100@580", *form)

    assert code == 0
    assert err.startswith(
        "warning: no configured index could be read (http://127.0.0.1:9/whl/torch/"
    )
    assert "the table of builds answers, which ends with torch 2.15.0\n" in err
    if form:
        warning = err.splitlines()[0].removeprefix("warning: ")
        assert warning in json.loads(out)["assumed"]


def test_an_index_that_never_answers_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        away = Configured(f"http://127.0.0.1:{silent.getsockname()[1]}/simple")
        found = read_configured([away], {}, "linux-x86_64", deadline_s=0.05)

    assert found == OnIndexes(trouble="the configured indexes did not answer within 0.05 s")


def test_a_broken_configuration_leaves_the_table_and_a_warning(
    nothing_configured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (nothing_configured / "uv.toml").write_text("[[index", "utf-8")
    code, out, err = output_of(capsys, "--target", "h100@580")

    assert (code, out) == (0, "cu132\n")
    assert err.startswith("warning: the configured indexes were not read (")
    assert "uv.toml: cannot be read" in err


def test_a_driver_that_does_not_work_is_told_with_what_repairs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    device = tmp_path / "sys/bus/pci/devices/0000:01:00.0"
    device.mkdir(parents=True)
    for name, text in {"vendor": "0x10de", "device": "0x2684", "class": "0x030000"}.items():
        (device / name).write_text(text, "ascii")
    monkeypatch.setenv(ROOT, str(tmp_path))
    code, out, err = output_of(capsys, "--torch", "2.14", "--platform", "linux-x86_64")

    assert (code, out) == (1, "no-build\n")
    assert err.splitlines()[1:3] == [
        (
            "warning: no GPU can be used here: gpu-no-driver: an NVIDIA GPU is there, but no "
            "kernel-mode driver of NVIDIA is loaded"
        ),
        (
            "hint: install NVIDIA's driver as its Driver Installation Guide says for this system, "
            "then reboot"
        ),
    ]
