"""What is installed without a label: its CUDA, its device code, whether it runs, what repairs it.

The installed trees are stand-ins with the file names, METADATA and ``version.py`` of the published
wheels, read from PyPI on 2026-11-25; the libraries are our own.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Final

import jsonschema
import pytest

from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.tables.cuda_indexes import TORCH_INDEX
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.cli.explain_installed import judged
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.explain.fitness import Fitness, disagreements, fitness_of
from nvidia_variant_provider.tools.explain.installed import find_installed
from nvidia_variant_provider.tools.explain.ordinary import Evidence, InstalledBuild, read_build
from tests.recorded import load_states
from tests.strategies import machine
from tests.tools.lint.serving import serve
from tests.wheel_maker import cuda_library

ROOT: Final = Path(__file__).resolve().parents[3]
KERNELS: Final = (ROOT / "tests" / "data" / "binaries" / "libaxpy.so").read_bytes()
SCHEMA: Final = ROOT / "schemas" / "explanation.schema.json"
LINUX: Final = "manylinux_2_28_x86_64"
_TOOLKIT: Final = "cuda-toolkit[cublas,cudart]=={}; platform_system == 'Linux'"
_CU12: Final = (
    'nvidia-cuda-runtime-cu12==12.8.90; platform_system == "Linux" and platform_machine == "x86_64"'
)


def install(
    site: Path,
    name: str,
    version: str,
    *requires: str,
    tag: str = LINUX,
    files: dict[str, bytes] | None = None,
) -> None:
    """Write what an installer leaves of a wheel."""
    info = f"{name}-{version}.dist-info"
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    lines += [f"Requires-Dist: {it}" for it in requires]
    written = {
        f"{info}/METADATA": "\n".join(lines).encode() + b"\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nTag: cp313-cp313-{tag}\n".encode(),
        **(files or {}),
    }
    written[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in written).encode()
    for path, data in written.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(data)


def built(site: Path, name: str) -> InstalledBuild:
    return read_build(find_installed(name, [str(site)]))


def version_py(cuda: str) -> dict[str, bytes]:
    return {"torch/version.py": f"cuda: Optional[str] = {cuda}\nhip = None\n".encode()}


@pytest.mark.parametrize(
    ("version", "requires", "tag", "files", "label", "cuda"),
    [
        pytest.param("2.14.1+cu130", (), LINUX, {}, "cu130", "13.0", id="local"),
        pytest.param("2.15.0", (), LINUX, version_py("'13.2'"), "cu132", "13.2", id="version.py"),
        pytest.param("2.14.1", (_TOOLKIT.format("13.0.3"),), LINUX, {}, "cu130", "13.0", id="13"),
        pytest.param("2.10.0", (_CU12,), LINUX, {}, "cu128", "12.8", id="cu12"),
        pytest.param("2.14.1+cpu", (), LINUX, version_py("None"), "cpu", None, id="cpu"),
        # The same requirements stand in wheels whose platform they do not hold for.
        pytest.param("2.10.0", (_CU12,), "manylinux_2_28_aarch64", {}, "", None, id="aarch64"),
        pytest.param(
            "2.14.1", (_TOOLKIT.format("13.0.3"),), "win_amd64", {}, "", None, id="windows"
        ),
        pytest.param("2.9.0+rocm6.4", (), LINUX, {}, "", None, id="rocm"),
        # torch/version.py knows better than a range.
        pytest.param(
            "2.14.1+cu126", (), LINUX, version_py("'12.6'"), "cu126", "12.6", id="version-first"
        ),
    ],
)
def test_the_cuda_of_an_ordinary_wheel_is_found(
    version: str,
    requires: tuple[str, ...],
    tag: str,
    files: dict[str, bytes],
    label: str,
    cuda: str | None,
    tmp_path: Path,
) -> None:
    install(tmp_path, "torch", version, *requires, tag=tag, files=files)
    found = built(tmp_path, "torch")

    assert (found.label, None if found.cuda is None else str(found.cuda)) == (label, cuda)


@pytest.mark.parametrize(
    ("version", "label"),
    [("2.8.3+cu12torch2.6cxx11abiFALSE", "cu12"), ("2.5+cu118torch2.1", "cu118")],
)
def test_a_longer_local_version_tells_what_it_can(version: str, label: str, tmp_path: Path) -> None:
    install(tmp_path, "flash_attn", version)

    assert built(tmp_path, "flash-attn").label == label


def test_device_code_is_read_from_the_libraries(tmp_path: Path) -> None:
    install(tmp_path, "torch", "2.14.1+cu130", files={"torch/lib/libtorch_cuda.so": KERNELS})
    found = built(tmp_path, "torch")

    assert found.archs
    assert found.code_source.startswith("read from the libraries")


def test_device_code_is_the_table_s_where_no_library_has_any(tmp_path: Path) -> None:
    install(tmp_path, "torch", "2.14.1+cu126")
    found = built(tmp_path, "torch")

    assert [it.target for it in found.archs] == ["50", "60", "70", "75", "80", "86", "90"]
    assert found.code_source.startswith("table of torch builds: ")


@pytest.mark.parametrize(
    ("name", "requires", "reason"),
    [
        ("cuda_core", (), "the project makes device code at run time"),
        ("demo_cuda12x", (), "which GPUs the build has code for is not known"),
        ("demo", ("cuda-bindings>=12.9,<14",), "which GPUs the build has code for is not known"),
        ("demo", ("triton",), "it uses CUDA, of which version is not known: requires triton"),
        ("demo", ("cuda-python; extra == 'gpu'",), "nothing in it speaks of CUDA"),
    ],
)
def test_a_build_without_code_is_not_taken_for_a_cpu_build(
    name: str, requires: tuple[str, ...], reason: str, tmp_path: Path
) -> None:
    install(tmp_path, name, "1.0", *requires)
    found = fitness_of(built(tmp_path, name), parse_target("h100@580").machine())

    assert found.runs is None
    assert reason in found.reason


@pytest.mark.parametrize(
    ("version", "target", "runs", "words"),
    [
        # Wrong before: "no build for a GPU" for the first, "still fits" for the second.
        ("2.14.1+cu130", "rtx-4090@580", True, "86_real runs on 8.9"),
        ("2.14.1+cu130", "gtx-1080-ti@580", False, "no device code for 6.1"),
        ("2.14.1+cu130", "h100@570", False, "CUDA 13.0 needs driver 580.65.06 or newer"),
        ("2.14.1+cu126", "gtx-1080-ti@580", True, "60_real runs on 6.1"),
        ("2.14.1+cpu", "h100@580", False, "without CUDA: the GPU is not used"),
        ("2.14.1", "h100@580", None, "nothing in it speaks of CUDA"),
        ("2.14.1+cu126", "v100+b200@580", False, "no device code for 10.0"),
        ("1.9.0+cu102", "h100@580", None, "which driver its CUDA needs is not known"),
    ],
)
def test_what_is_installed_is_judged(
    version: str,
    target: str,
    runs: bool | None,  # noqa: FBT001 - an expectation
    words: str,
    tmp_path: Path,
) -> None:
    install(tmp_path, "torch", version)
    found = fitness_of(built(tmp_path, "torch"), parse_target(target).machine())

    assert found.runs is runs
    assert words in found.reason


def test_where_only_the_driver_is_known_the_driver_is_judged(tmp_path: Path) -> None:
    install(tmp_path, "torch", "2.14.1+cu130")
    reason = "CUDA 13.0 needs driver 580.65.06 or newer, this one supports CUDA 12.4"

    assert fitness_of(built(tmp_path, "torch"), machine("12.4")) == Fitness(
        runs=False, reason=reason, repair=()
    )


def test_a_name_with_a_cuda_major_is_a_sign_without_minor_version(tmp_path: Path) -> None:
    install(tmp_path, "demo_cuda12x", "1.0")
    sign = Evidence("named for CUDA 12", CudaVersion(12, 0), exact=False)

    assert built(tmp_path, "demo_cuda12x").evidence == (sign,)


def test_a_link_with_the_runtime_is_a_sign_without_minor_version(tmp_path: Path) -> None:
    linked = {"demo/a.so": cuda_library("80", needed="libcudart.so.12")}
    install(tmp_path, "demo", "1.0", files=linked)
    text = "demo/a.so is linked with libcudart.so.12"

    assert built(tmp_path, "demo").evidence == (Evidence(text, CudaVersion(12, 0), exact=False),)


@pytest.mark.parametrize(
    ("name", "version", "target", "repair"),
    [
        (
            "torch",
            "2.14.1+cu130",
            "gtx-1080-ti@580",
            "pip install --force-reinstall torch==2.14.1 torchvision==0.29.1 --index-url ",
        ),
        (
            "torch",
            "2.15.0+cu132",
            "v100@580",
            "pip install --force-reinstall torch==2.14.1 torchvision==0.29.1 --index-url ",
        ),
        (
            "torchvision",
            "0.28.0+cu130",
            "v100@580",
            "pip install --force-reinstall torch==2.13.0 torchvision==0.28.0 --index-url ",
        ),
        (
            "flash_attn",
            "2.8.3+cu12torch2.6cxx11abiFALSE",
            "a100@470",
            "nvidia-variant-provider run -- pip install --force-reinstall flash-attn==2.8.3",
        ),
    ],
)
def test_the_command_that_repairs_it_is_named(
    name: str, version: str, target: str, repair: str, tmp_path: Path
) -> None:
    install(tmp_path, name, version)
    found = fitness_of(built(tmp_path, name), parse_target(target).machine())

    assert found.runs is False
    assert found.repair[0].startswith(repair)


def test_what_was_built_for_another_cuda_or_torch_is_pointed_out(tmp_path: Path) -> None:
    install(tmp_path, "torch", "2.14.1+cu130")
    install(tmp_path, "torchvision", "0.28.0+cu126")
    install(tmp_path, "torchaudio", "2.11.0+cu130")
    install(tmp_path, "flash_attn", "2.8.3+cu12torch2.6cxx11abiFALSE")
    names = ("torchvision", "torchaudio", "flash-attn")
    found = list(disagreements(built(tmp_path, "torch"), [built(tmp_path, it) for it in names]))

    assert found == [
        (
            "torchvision 0.28.0+cu126 was built for CUDA 12.6, torch 2.14.1+cu130 for CUDA 13.0: "
            "local version +cu126"
        ),
        "torchvision 0.28.0+cu126 pairs with torch 2.13.0, not 2.14.1",
        (
            "flash_attn 2.8.3+cu12torch2.6cxx11abiFALSE was built for CUDA 12, "
            "torch 2.14.1+cu130 for CUDA 13.0: local version +cu12torch2.6cxx11abiFALSE"
        ),
    ]


@pytest.mark.parametrize(
    ("state", "version", "reason", "repair"),
    [
        # A build that fits runs no more than another while the driver is broken.
        ("mismatch-after-upgrade", "2.14.1+cu126", "broken: NVML 18", ["reboot: the libraries"]),
        (
            "mismatch-after-upgrade",
            "2.14.1+cu130",
            "besides, CUDA 13.0 needs driver 580.65.06",
            ["reboot: the libraries", "pip install --force-reinstall torch==2.14.1"],
        ),
        ("nouveau-holds-the-gpu", "2.14.1+cpu", "gpu-no-driver: ", ["echo 'blacklist nouveau'"]),
        ("container-no-gpu-given", "2.14.1+cu126", "", ["start the container with --gpus all"]),
    ],
)
def test_a_machine_whose_driver_does_not_work_is_repaired_first(
    state: str, version: str, reason: str, repair: list[str], tmp_path: Path
) -> None:
    install(tmp_path, "torch", version)
    detection = next(it for it in load_states() if it.name == state).answer().detection
    (_, _, found) = judged(built(tmp_path, "torch"), [("here", detection)])[0]

    assert found.runs is False
    assert found.reason.startswith("no GPU can be used here: ")
    assert reason in found.reason
    assert [line[: len(start)] for line, start in zip(found.repair, repair, strict=True)] == repair


def test_what_pairs_with_torch_is_named_in_its_own_build(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path, "torch", "2.14.1+cu130")
    install(tmp_path, "torchvision", "0.29.1+cu126")
    _, _, err = output_of(capsys, "torch", "--path", str(tmp_path), "--target", "h100@580")

    assert err.splitlines()[-1] == (
        "hint: pip install --force-reinstall torch==2.14.1 torchvision==0.29.1 "
        f"--index-url {TORCH_INDEX}/cu130"
    )


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["explain", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command_gives_verdict_reason_and_repair(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path, "torch", "2.14.1+cu130")
    install(tmp_path, "flash_attn", "2.8.3+cu12torch2.6cxx11abiFALSE")
    where = ("torch", "--path", str(tmp_path), "--target", "gtx-1080-ti@580")
    code, out, err = output_of(capsys, *where)

    assert code == 0
    assert "build        CUDA 13.0, cu130\n" in out
    assert "does not run: no device code for 6.1" in out
    assert "hint: pip install --force-reinstall torch==2.14.1" in err
    assert "warning: flash_attn 2.8.3+cu12torch2.6cxx11abiFALSE was built for CUDA 12" in err


@pytest.mark.parametrize(
    ("check", "code", "words"),
    [
        (("--expect", "cu130"), 0, ""),
        (("--expect", "cu126"), 1, "--expect cu126: torch 2.14.1+cu130 is cu130"),
        (("--require-gpu",), 1, "--require-gpu: torch 2.14.1+cu130 does not run: no device code"),
    ],
)
def test_the_checks_name_what_is_installed(
    check: tuple[str, ...],
    code: int,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    install(tmp_path, "torch", "2.14.1+cu130")
    where = ("--installed", "torch", "--path", str(tmp_path), "--target", "v100@580")
    found, _, err = output_of(capsys, *where, *check)

    assert found == code
    assert words in err


def test_json_has_the_build_and_the_verdicts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path, "torch", "2.14.1+cu130")
    where = ("torch", "--path", str(tmp_path), "--json")
    _, out, _ = output_of(capsys, *where, "--target", "h100@580", "--target", "v100@580")
    document = json.loads(out)
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))

    assert document["installed"]["label"] == "cu130"
    assert [it["installed"]["runs"] for it in document["machines"]] == [True, False]


def test_the_active_environment_is_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path / "lib" / "python3.13" / "site-packages", "torch", "2.14.1+cu130")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    _, out, _ = output_of(capsys, "torch", "--target", "h100@580")

    assert "torch 2.14.1+cu130: installed, without a variant label" in out


def write_wheel(folder: Path, version: str, *requires: str, tag: str = LINUX) -> None:
    """Write a wheel of torch without a label, with the METADATA that counts."""
    lines = [f"Metadata-Version: 2.1\nName: torch\nVersion: {version}"]
    lines += [f"Requires-Dist: {it}" for it in requires]
    info = f"torch-{version}.dist-info"
    files = {
        f"{info}/METADATA": "\n".join(lines) + "\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nTag: cp313-cp313-{tag}\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"torch-{version}-cp313-cp313-{tag}.whl", "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)


@pytest.mark.parametrize(
    ("version", "requires", "target", "words"),
    [
        ("2.14.1+cu130", (), "h100@560", "2.14.1+cu130 does not run: CUDA 13.0 needs driver 580"),
        ("2.14.1+cu130", (), "h100@580", "2.14.1+cu130 runs: 90_real runs on 9.0"),
        (
            "2.14.1",
            (_TOOLKIT.format("13.0.3"),),
            "gtx-1080-ti@580",
            "2.14.1 (cu130) does not run: no device code for 6.1",
        ),
    ],
)
def test_a_folder_s_wheel_without_a_label_is_judged(
    version: str,
    requires: tuple[str, ...],
    target: str,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_wheel(tmp_path, version, *requires)
    code, out, _ = output_of(capsys, str(tmp_path), "--target", target, "--require-gpu")

    assert code == ("does not" in words)
    assert f"no label: torch {words}" in out


def test_json_has_the_wheels_without_a_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wheel(tmp_path, "2.14.1+cu130")
    _, out, _ = output_of(capsys, str(tmp_path), "--target", "v100@580", "--json")
    document = json.loads(out)
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))

    (record,) = document["machines"][0]["unlabelled"]
    assert (record["label"], record["runs"]) == ("cu130", False)


def publish(folder: Path, *, beside: bool) -> Path:
    """Write the page of an index beside three wheels of torch; METADATA lies there or not."""
    page = folder / "torch"
    page.mkdir()
    for tag in (LINUX, "manylinux_2_28_aarch64", "macosx_11_0_arm64"):
        write_wheel(page, "2.14.1", _TOOLKIT.format("13.0.3"), tag=tag)
    lines = []
    for path in sorted(page.iterdir()):
        stated = ""
        if beside:
            with zipfile.ZipFile(path) as archive:
                data = archive.read("torch-2.14.1.dist-info/METADATA")
            Path(f"{path}.metadata").write_bytes(data)
            stated = f' data-core-metadata="sha256={hashlib.sha256(data).hexdigest()}"'
        lines.append(f'<a href="{path.name}"{stated}>{path.name}</a>')
    (page / "index.html").write_text("\n".join(lines), "utf-8")
    return page


def test_wheels_on_an_index_are_judged_by_the_metadata_beside_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(tmp_path, beside=True)
    with serve(tmp_path) as served:
        machines = ("--target", "v100@580", "--target", "gh200@580")
        code, out, err = output_of(capsys, served.url, "--package", "torch", *machines)

    assert (code, err.splitlines()[-2:]) == (
        0,
        [
            "note: v100@580: no version there has a build for this GPU; PyTorch has others:",
            (
                "hint: nvidia-variant-provider run --target v100@580 --cuda-index "
                f"{TORCH_INDEX} -- pip install --index-url {served.url}/ torch"
            ),
        ],
    )
    assert [it for it in out.splitlines() if it.startswith("no label: ")] == [
        (
            "no label: torch 2.14.1 (cu130) does not run: no device code for 7.0: the build has "
            "75 80 86 90 100 120"
        ),
        "no label: torch 2.14.1 (cu130) runs: 90_real runs on 9.0",
    ]
    # One request for each platform that has CUDA.
    assert sorted(it for it in served.asked if it.endswith(".metadata")) == [
        f"/torch/torch-2.14.1-cp313-cp313-{tag}.whl.metadata"
        for tag in ("manylinux_2_28_aarch64", LINUX)
    ]


def test_large_wheels_on_an_index_that_serves_neither_metadata_nor_ranges_are_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in publish(tmp_path, beside=False).glob("*.whl"):
        os.truncate(path, 17 << 20)
    with serve(tmp_path) as served:
        where = (f"{served.url}/torch/", "--target", "h100@580")
        code, out, err = output_of(capsys, *where)

    assert (code, "no label: torch" in out) == (0, False)
    name = f"torch-2.14.1-cp313-cp313-{LINUX}.whl"
    assert (
        f"warning: not judged: {name}: {served.url}/torch/{name}: 17825792 bytes, and the server "
        "gives no parts\n"
    ) in err
