"""What a view shows of a project: of each version the build that fits the machine."""

from __future__ import annotations

import pytest
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.version import Version

from nvidia_variant_provider.tools.releases.pages import PageFile
from nvidia_variant_provider.tools.views.model import Interpreter, Source, View, Wanted
from nvidia_variant_provider.tools.views.selecting import concerns, make_view
from tests.tools.explain.releases import build, metadata_of
from tests.tools.views.machines import machine
from tests.tools.views.stand_in import PYTHON, torch_wheels

LINUX = "manylinux_2_28_x86_64"
REFUSAL = (
    "cu132: the main index's own wheel: no device code for 7.0: the build has 75 80 86 90 100 120"
)
GPU = {"cuda12.6": build("12.0", "80_real 90_real"), "cuda13.0": build("13.0", "90_real")}


def file(name: str, **facts: str) -> PageFile:
    return PageFile(name, f"https://index.example/files/{name}", **facts)  # type: ignore[arg-type]  # texts


def torch(*extra: PageFile) -> Source:
    main = tuple(file(name) for name in torch_wheels(main=True))
    cuda: dict[str, tuple[PageFile, ...]] = {"": tuple(map(file, torch_wheels(main=False)))}
    return Source("torch", (*main, *extra), cuda, is_cuda_project=True)


def variants(*names: str) -> Source:
    metadata = {Version("1.2"): metadata_of(GPU)}
    return Source("demo", tuple(map(file, names)), metadata=metadata)


def shown(view: View, ending: str = LINUX) -> list[str]:
    names = [it.name.removesuffix(".whl") for it in view.files]
    return [it.removesuffix(f"-{ending}") for it in names if it.endswith(ending)]


def python(version: str, platform: str = LINUX) -> Interpreter:
    numbers = tuple(map(int, version.split(".")))
    tags: list[Tag] = [
        *cpython_tags(numbers, platforms=[platform]),
        *compatible_tags(numbers, platforms=[platform]),
    ]
    return Interpreter(tuple(tags), f"{version}.0")


@pytest.mark.parametrize(
    ("target", "wheels"),
    [
        ("", ["2.15.0+cpu", "2.14.1+cpu", "2.13.0+cpu"]),
        ("gtx-1080-ti@580", ["2.14.1+cu126", "2.13.0+cu126"]),
        ("v100@570", ["2.14.1+cu126", "2.13.0+cu126"]),
        ("v100@580", ["2.14.1+cu126", "2.13.0+cu126"]),
        ("h100@550", ["2.14.1+cu126", "2.13.0+cu129"]),
        ("rtx-5090@570", ["2.13.0+cu129"]),
        # Of equal builds the main index's own wheel.
        ("rtx-5090@580", ["2.15.0", "2.14.1+cu132", "2.13.0+cu132"]),
        ("a10+t4@580", ["2.15.0", "2.14.1+cu132", "2.13.0+cu132"]),
        # The build that serves both GPUs, where a version has one.
        ("v100+h100@580", ["2.15.0", "2.14.1+cu126", "2.13.0+cu126"]),
    ],
    ids=str,
)
def test_each_machine_sees_the_best_build_of_each_version(target: str, wheels: list[str]) -> None:
    view = make_view(torch(), Wanted(machine(target)))

    assert shown(view) == [f"torch-{it}-{PYTHON}" for it in wheels]


@pytest.mark.parametrize(
    ("target", "wheels"),
    [
        ("gh200@580", ["2.15.0", "2.14.1+cu132", "2.13.0+cu132"]),
        ("gb200@570", ["2.13.0+cu129"]),
        ("dgx-spark@580", ["2.15.0", "2.14.1+cu132", "2.13.0+cu132"]),
    ],
)
def test_a_machine_of_another_processor_has_builds_of_its_own(
    target: str, wheels: list[str]
) -> None:
    view = make_view(torch(), Wanted(machine(target)))

    assert shown(view, "manylinux_2_28_aarch64") == [f"torch-{it}-{PYTHON}" for it in wheels]


def test_a_version_without_a_build_for_the_gpu_is_hidden_with_the_reason() -> None:
    view = make_view(torch(), Wanted(machine("v100@580")))

    assert [(str(it.version), it.hidden) for it in view.hidden] == [
        (
            "2.15.0",
            f"no build for this GPU ({REFUSAL}); 2.14.1 (cu126) has a build for this GPU",
        )
    ]


def test_any_version_shows_the_cpu_build_of_a_version_that_is_hidden_otherwise() -> None:
    view = make_view(torch(), Wanted(machine("v100@580"), any_version=True))

    assert shown(view)[0] == f"torch-2.15.0+cpu-{PYTHON}"


def test_a_prerelease_with_a_gpu_build_hides_nothing_unless_it_was_asked_for() -> None:
    names = (
        "demo-2.0-cp310-abi3-linux_x86_64.whl",
        "demo-3.0rc1+cu126-cp310-abi3-linux_x86_64.whl",
    )
    source = Source("demo", tuple(map(file, names)))
    usual = make_view(source, Wanted(machine("h100@580")))
    asked = make_view(source, Wanted(machine("h100@580"), prereleases=True))

    assert [it.hidden != "" for it in usual.versions] == [False, False]
    assert [it.hidden != "" for it in asked.versions] == [False, True]


def test_a_yanked_gpu_build_hides_nothing() -> None:
    good = file("demo-1.0+cpu-cp310-abi3-linux_x86_64.whl")
    yanked = file("demo-0.9+cu126-cp310-abi3-linux_x86_64.whl", yanked="broken")
    view = make_view(Source("demo", (good, yanked)), Wanted(machine("h100@580")))

    assert view.hidden == ()


def test_a_gpu_build_for_another_python_hides_nothing() -> None:
    names = (
        "demo-1.0+cpu-cp312-cp312-linux_x86_64.whl",
        "demo-0.9+cu126-cp311-cp311-linux_x86_64.whl",
    )
    source = Source("demo", tuple(map(file, names)))
    target = python("3.12", "linux_x86_64")
    view = make_view(source, Wanted(machine("h100@580"), target))

    assert view.hidden == ()


def test_variant_labels_go_and_local_versions_stay() -> None:
    view = make_view(
        variants("demo-1.2-py3-none-any-cuda13.0.whl", "demo-1.2-py3-none-any-cuda12.6.whl"),
        Wanted(machine("h100@580")),
    )
    local = make_view(torch(), Wanted(machine("t4@535"))).files

    assert [(it.name, it.bake_for) for it in view.files] == [
        ("demo-1.2-py3-none-any.whl", "cuda13.0")
    ]
    assert (f"torch-2.14.1+cu126-{PYTHON}-{LINUX}.whl", "") in [
        (it.name, it.bake_for) for it in local
    ]


def test_what_the_best_build_has_no_wheel_for_is_shown_of_the_next() -> None:
    view = make_view(
        variants(
            "demo-1.2-cp311-cp311-linux_x86_64-cuda13.0.whl",
            "demo-1.2-cp311-cp311-linux_x86_64-cuda12.6.whl",
            "demo-1.2-cp312-cp312-linux_x86_64-cuda12.6.whl",
            "demo-1.2-cp312-cp312-win_amd64.whl",
        ),
        Wanted(machine("h100@580")),
    )

    assert {(it.name, it.file.name.count("cuda13.0")) for it in view.files} == {
        ("demo-1.2-cp311-cp311-linux_x86_64.whl", 1),
        ("demo-1.2-cp312-cp312-linux_x86_64.whl", 0),
        ("demo-1.2-cp312-cp312-win_amd64.whl", 0),
    }


@pytest.mark.parametrize(
    ("better", "worse", "both"),
    [
        ("cp310-abi3-manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_17_x86_64", False),
        ("py3-none-any", "cp311-cp311-manylinux_2_17_x86_64", False),
        ("cp310-abi3-manylinux_2_28_x86_64", "cp310-abi3-linux_x86_64", False),
        ("cp311-cp311-linux_x86_64", "cp310-abi3-linux_x86_64", True),
        ("cp312-abi3-linux_x86_64", "cp311-cp311-linux_x86_64", True),
        ("cp310-abi3-linux_x86_64", "cp313-cp313t-linux_x86_64", True),
        ("cp310-abi3-linux_x86_64", "cp310-abi3-musllinux_1_2_x86_64", True),
    ],
)
def test_a_worse_wheel_that_the_better_one_covers_is_hidden(
    better: str,
    worse: str,
    both: bool,  # noqa: FBT001 - a column of the table
) -> None:
    source = variants(f"demo-1.2-{better}-cuda13.0.whl", f"demo-1.2-{worse}-cuda12.6.whl")
    view = make_view(source, Wanted(machine("h100@580")))

    assert [it.name for it in view.files] == [
        f"demo-1.2-{it}.whl" for it in ([better, worse] if both else [better])
    ]


def test_the_python_that_is_installed_for_decides_the_platform_not_the_target() -> None:
    """GH200 named on an x86-64 machine: uv installs there, and must not end at the CPU build."""
    versions = [f"1.{minor}" for minor in range(16)]
    labels = GPU | {"cuda13.0_sbsa": GPU["cuda13.0"], "null": {}}
    source = Source(
        "demo",
        tuple(
            file(f"demo-{version}-py3-none-{tail}.whl")
            for version in versions
            for tail in (
                f"{LINUX}-cuda12.6",
                f"{LINUX}-cuda13.0",
                "manylinux_2_28_aarch64-cuda13.0_sbsa",
                "any-null",
                "any",
            )
        ),
        metadata={Version(version): metadata_of(labels) for version in versions},
    )
    view = make_view(source, Wanted(machine("gh200@580"), python("3.11")))

    assert [version.best.label for version in view.versions if version.best] == ["cuda13.0"] * 16
    assert shown(view) == [f"demo-{version}-py3-none" for version in reversed(versions)]
    assert [it.name for it in view.files if it.name.endswith("any.whl")] == []


def test_the_target_s_python_never_sees_two_builds_it_could_take() -> None:
    source = variants(
        "demo-1.2-cp311-cp311-manylinux_2_28_x86_64-cuda13.0.whl",
        "demo-1.2-cp310-abi3-manylinux_2_28_x86_64-cuda12.6.whl",
    )
    names = [it.name for it in make_view(source, Wanted(machine("h100@580"), python("3.11"))).files]

    assert names == ["demo-1.2-cp311-cp311-manylinux_2_28_x86_64.whl"]


def test_a_build_that_does_not_fit_is_shown_only_where_there_is_nothing_else() -> None:
    alone = Source("torch", (file(f"torch-2.15.0-{PYTHON}-{LINUX}.whl"),), is_cuda_project=True)
    view = make_view(alone, Wanted(machine("v100@580")))

    assert shown(view) == [f"torch-2.15.0-{PYTHON}"]
    assert view.warnings == (
        f"torch 2.15.0: no build fits this machine: {REFUSAL.removeprefix('cu132: ')}",
    )


def test_a_build_that_serves_some_of_the_gpus_is_shown_with_a_warning() -> None:
    view = make_view(torch(), Wanted(machine("v100+h100@580")))

    assert [it.partition("; ")[2] for it in view.warnings] == [
        "no device code for 7.0: the build has 75 80 86 90 100 120"
    ]


def test_a_release_newer_than_the_table_counts_as_its_neighbour_and_says_so() -> None:
    source = Source(
        "torch",
        (),
        {"": (file(f"torch-2.99.0+cu132-{PYTHON}-{LINUX}.whl"),)},
        is_cuda_project=True,
    )
    view = make_view(source, Wanted(machine("h100@580")))

    assert view.warnings == (
        "torch 2.99.0: cu132: 90_real runs on 9.0 (device code assumed: as torch 2.15.0 cu132)",
    )


def test_a_wheel_without_a_local_version_is_of_its_folder_s_build() -> None:
    name = "torch-2.5.1-cp311-cp311-linux_aarch64.whl"
    main = file("torch-2.5.1-cp311-cp311-manylinux2014_aarch64.whl")
    source = Source("torch", (main,), {"cu124": (file(name),)}, is_cuda_project=True)
    view = make_view(source, Wanted(machine("gh200@570")))

    assert [it.name for it in view.files] == [name]


def test_builds_for_other_makers_gpus_are_left_out() -> None:
    names = (f"torch-2.14.1+rocm6.3-{PYTHON}-{LINUX}.whl", f"torch-2.14.1+xpu-{PYTHON}-{LINUX}.whl")
    source = Source("torch", (), {"": tuple(map(file, names))}, is_cuda_project=True)

    assert make_view(source, Wanted(machine("h100@580"))).files == ()


def test_what_an_index_has_built_for_its_own_machines_is_shown_as_it_is() -> None:
    names = ["torch-2.15.0-cp310-abi3-linux_x86_64.whl", "torch-2.14.1-cp310-abi3-linux_x86_64.whl"]
    source = Source("torch", tuple(map(file, names)), is_cuda_project=True)

    views = [make_view(source, Wanted(machine(target))) for target in ("", "v100@580")]

    assert [[shown.name for shown in view.files] for view in views] == [names, names]
    assert [view.warnings for view in views] == [(), ()]


def test_a_project_with_one_build_is_no_concern() -> None:
    plain = Source("numpy", (file("numpy-2.0-cp311-cp311-linux_x86_64.whl"),))

    assert [
        concerns(plain),
        concerns(torch()),
        concerns(variants("demo-1.2-py3-none-any-x.whl")),
    ] == [
        False,
        True,
        True,
    ]


def test_facts_of_a_file_stay_as_they_are() -> None:
    facts = {
        "requires_python": ">=3.9",
        "upload_time": "2026-10-01T00:00:00Z",
        "yanked": "",
        "sha256": "ab",
    }
    view = make_view(
        Source("demo", (file("demo-1.0+cu126-py3-none-any.whl", **facts),)),
        Wanted(machine("h100@580")),
    )

    assert [it.file for it in view.files] == [file("demo-1.0+cu126-py3-none-any.whl", **facts)]
