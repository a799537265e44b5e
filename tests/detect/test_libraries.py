"""Where libraries are looked for, in which order, and what is never loaded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from nvidia_variant_provider.detect.libraries import (
    COMPAT_FOLDERS,
    KNOWN_FOLDERS,
    WSL_FOLDERS,
    Candidate,
    candidates,
    shadowing,
)
from nvidia_variant_provider.detect.outcome import Miss, MissReason
from nvidia_variant_provider.detect.replay import ReplayHost

PAGE = Path(__file__).resolve().parents[2] / "docs" / "detection.md"
ELF = {"size": 5000, "head": "7f454c4602010100000000000000000003003e00"}
ELF_32 = {"size": 5000, "head": "7f454c4601010100000000000000000003000300"}
ELF_ARM = {"size": 5000, "head": "7f454c460201010000000000000000000300b700"}
X86 = "/usr/lib/x86_64-linux-gnu"


def _host(files: dict[str, Any], *, forged: bool = False, **environment: str) -> ReplayHost:
    return ReplayHost(
        {
            "platform": {"system": "linux", "architecture": "x86_64", "libc": "glibc"},
            "environment": environment,
            "files": files,
            "forged": forged,
        }
    )


def _paths(host: ReplayHost, api: str = "cuda", *, wsl: bool = False) -> list[str]:
    return [it.path for it in candidates(host, api, wsl=wsl) if isinstance(it, Candidate)]


def test_the_page_names_every_folder() -> None:
    named = set(re.findall(r"`(/[^`]+)`", PAGE.read_text("utf-8").partition("## What a Miss")[0]))

    assert {*KNOWN_FOLDERS, *WSL_FOLDERS, *COMPAT_FOLDERS} <= named


def test_the_loader_goes_first_then_known_folders_then_compatibility_packages() -> None:
    files = {
        "/usr/local/cuda-12.9/compat/libcuda.so.1": ELF,
        "/usr/local/nvidia/lib64/libcuda.so.1": ELF,
        f"{X86}/libcuda.so.1": ELF,
    }

    assert _paths(_host(files)) == ["libcuda.so.1", *reversed(files)]


def test_compatibility_packages_hold_no_nvml() -> None:
    host = _host({"/usr/local/cuda/compat/libnvidia-ml.so.1": ELF})

    assert _paths(host, "nvml") == ["libnvidia-ml.so.1"]


def test_wsl_goes_before_linux_packages_and_the_loader_is_not_asked_there() -> None:
    files = {"/usr/lib/wsl/lib/libcuda.so.1": ELF, f"{X86}/libcuda.so.1": ELF}

    assert _paths(_host(files), wsl=True) == list(files)


@pytest.mark.parametrize("folder", ["", ".", "lib", "/opt/*/lib"])
def test_in_a_folder_that_stands_for_a_machine_only_absolute_entries_count(folder: str) -> None:
    files = {"/opt/x/lib/libcuda.so.1": ELF, "/libcuda.so.1": ELF, "/lib/libcuda.so.1": ELF}

    assert _paths(_host(files, forged=True, LD_LIBRARY_PATH=f"{folder}:")) == []
    assert _paths(_host(files, forged=True, LD_LIBRARY_PATH="/opt/x/lib/")) == [
        "/opt/x/lib/libcuda.so.1"
    ]


def test_a_merged_lib_is_not_tried_twice() -> None:
    twice = {f"{X86}/libcuda.so.1": ELF, "/lib/x86_64-linux-gnu/libcuda.so.1": ELF}

    both, merged = _paths(_host(twice)), _paths(_host({**twice, "/lib": {"link": "usr/lib"}}))

    assert both == ["libcuda.so.1", *twice]
    assert merged == ["libcuda.so.1", f"{X86}/libcuda.so.1"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"size": 0}, MissReason.EMPTY),
        ({"link": "libcuda.so.535.54.03"}, MissReason.ABSENT),
        (ELF_32, MissReason.FOREIGN),
        (ELF_ARM, MissReason.FOREIGN),
        ("INPUT(libcuda.so)\n", MissReason.MALFORMED),
        ({"size": 9, "head": "7f454c46"}, MissReason.MALFORMED),
    ],
    ids=["empty", "dangling", "32-bit", "aarch64", "linker-script", "cut-short"],
)
def test_a_file_that_cannot_be_the_library_is_a_miss_with_its_reason(
    entry: Any,  # noqa: ANN401 - JSON
    reason: MissReason,
) -> None:
    host = _host({f"{X86}/libcuda.so.1": entry})

    misses = [it for it in candidates(host, "cuda", wsl=False) if isinstance(it, Miss)]
    assert [(it.source, it.reason) for it in misses] == [(f"{X86}/libcuda.so.1", reason)]


def test_windows_loads_by_full_path_from_the_system_folders_only() -> None:
    store = "C:\\Windows\\System32\\DriverStore\\FileRepository"
    host = ReplayHost(
        {
            "platform": {"system": "win32", "architecture": "x86_64"},
            "environment": {"SystemRoot": "evil", "PATH": "D:\\tools"},
            "files": {
                f"{store}\\nv_dispi.inf_amd64_1\\nvml.dll": {"size": 9},
                f"{store}\\usb.inf_amd64_1\\nvml.dll": {"size": 9},
                "evil\\System32\\nvml.dll": {"size": 9},
                "D:\\tools\\nvml.dll": {"size": 9},
            },
        }
    )

    assert _paths(host, "nvml") == [f"{store}\\nv_dispi.inf_amd64_1\\nvml.dll"]


@pytest.mark.parametrize(
    ("search_path", "hidden_by"),
    [("", f"{X86}/libcuda.so.1"), ("/usr/lib/wsl/lib", ""), ("/opt", f"{X86}/libcuda.so.1")],
)
def test_under_wsl_a_linux_driver_hides_the_library_unless_that_is_searched_first(
    search_path: str, hidden_by: str
) -> None:
    host = _host({f"{X86}/libcuda.so.1": ELF}, LD_LIBRARY_PATH=search_path)

    assert shadowing(host) == hidden_by
