"""Run a program on this machine as if it were another one, in a private mount namespace.

``unshare -m python namespace.py FORGED PLACE PROGRAM ...``: the root seen by the program is this
machine's, read-only, with the files of FORGED laid over it; of the kernel's files those that speak
of NVIDIA are FORGED's alone. PLACE is an empty folder to mount on. All of it ends with the program.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys

KERNEL_FOLDERS = ("proc/driver", "sys/module", "sys/bus/pci/devices")
# Enough of /dev for an interpreter.
PLAIN_NODES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9)}


def enter(source: str, place: str) -> None:
    """Make the other machine the root of this process."""
    _mount("--make-rprivate", "/")
    # The layers of an overlay must not lie in one another.
    _mount("-t", "tmpfs", "tmpfs", place)
    forged, root = f"{place}/forged", f"{place}/root"
    subprocess.run(["cp", "-a", source, forged], check=True)
    os.mkdir(root)
    _make_kernel_files(forged)
    _mount("-t", "overlay", "overlay", "-o", f"lowerdir={forged}:/", root)
    for folder in _mounted_below_root():
        if folder != "dev" and os.path.isdir(f"{root}/{folder}"):
            _mount("--rbind", f"/{folder}", f"{root}/{folder}")
    for folder in (*KERNEL_FOLDERS, "dev"):
        if os.path.isdir(f"{root}/{folder}"):
            _mount("--bind", f"{forged}/{folder}", f"{root}/{folder}")
    os.chroot(root)
    os.chdir("/")


def _make_kernel_files(forged: str) -> None:
    """Make the folders that replace the kernel's, empty where the machine has nothing there."""
    for folder in (*KERNEL_FOLDERS, "dev"):
        os.makedirs(f"{forged}/{folder}", exist_ok=True)
    for name, (major, minor) in PLAIN_NODES.items():
        os.mknod(f"{forged}/dev/{name}", stat.S_IFCHR | 0o666, os.makedev(major, minor))
        os.chmod(f"{forged}/dev/{name}", 0o666)  # noqa: S103 - as everywhere


def _mounted_below_root() -> list[str]:
    """Return the folders right below the root that are mounts of their own, or hold some."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        points = [line.split()[4] for line in file]
    return sorted({point.split("/")[1] for point in points} - {""})


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


if __name__ == "__main__":
    enter(*sys.argv[1:3])
    os.execv(sys.argv[3], sys.argv[3:])  # noqa: S606 - the program takes this one's place
