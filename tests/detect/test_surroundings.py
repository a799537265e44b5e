"""Where a process runs, from what containers, systemd and schedulers leave behind."""

from __future__ import annotations

from typing import Any

import pytest

from nvidia_variant_provider.detect.replay import ReplayHost
from nvidia_variant_provider.detect.surroundings import (
    ANYWHERE,
    Surroundings,
    parse_os_release,
    read_surroundings,
)


def around(environment: dict[str, str], files: dict[str, Any]) -> Surroundings:
    platform = {"system": "linux", "architecture": "x86_64", "libc": "glibc"}
    host = ReplayHost({"platform": platform, "environment": environment, "files": files})
    return read_surroundings(host, for_a_person=True)


@pytest.mark.parametrize(
    ("environment", "files", "container"),
    [
        ({}, {}, ""),
        ({"KUBERNETES_SERVICE_HOST": "set"}, {}, "kubernetes"),
        ({"SINGULARITY_CONTAINER": "set"}, {}, "apptainer"),
        ({}, {"/proc/self/cgroup": "12:devices:/kubepods/burstable/pod1\n"}, "kubernetes"),
        ({}, {"/proc/self/cgroup": "0::/docker/0123abcd\n"}, "docker"),
        ({}, {"/run/.containerenv": ""}, "podman"),
        ({}, {"/.flatpak-info": ""}, "flatpak"),
        ({"container": "lxc"}, {}, "lxc"),
        ({"container": "systemd-nspawn"}, {}, "container"),
        ({}, {"/run/systemd/container": "oci\n"}, "container"),
        ({"NVIDIA_VISIBLE_DEVICES": ""}, {}, "container"),
        ({}, {"/proc/self/cgroup": "0::/user.slice/user-1000.slice\n"}, ""),
    ],
)
def test_a_container_is_known_by_what_its_runtime_leaves(
    environment: dict[str, str], files: dict[str, Any], container: str
) -> None:
    found = around(environment, files)

    assert (found.container, found.contained) == (container, bool(container))


def test_a_unit_of_systemd_may_have_fewer_devices_than_its_machine() -> None:
    found = around({}, {"/proc/self/cgroup": "0::/system.slice/jupyter.service\n"})

    assert (found.unit, found.container, found.contained) == ("jupyter.service", "", True)


@pytest.mark.parametrize(
    "files", [{"/dev/dxg": {"present": True}}, {"/usr/lib/wsl/lib/libcuda.so.1": {"size": 1}}]
)
def test_wsl_is_known_by_its_device_or_by_its_libraries(files: dict[str, Any]) -> None:
    assert around({}, files).wsl


def test_a_distribution_is_read_with_those_it_is_like() -> None:
    text = 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n'

    assert parse_os_release(text) == ("linuxmint", "ubuntu", "debian")
    assert around({}, {"/etc/os-release": text}).distribution == parse_os_release(text)
    assert around({}, {}) == ANYWHERE
