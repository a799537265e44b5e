"""Run tests in an arm64 Python under QEMU's user emulation: ``aarch64.py [PYTEST ARGUMENT ...]``.

Debian's arm64 interpreter and the C library are unpacked, not installed, below ``.cache/aarch64``;
apt works on a state of its own there, so that the machine keeps its one architecture. What the
tests need from PyPI is fetched as aarch64 wheels. Without arguments the stage of ``.ci/run``.

The kernel cannot start an arm64 program by itself, and the plugin starts ``sys.executable``. So at
the interpreter's path lies a script that starts the emulator on the true one; no ``binfmt_misc`` is
registered, which would be a setting of the whole machine.
"""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
HOME: Final = ROOT / ".cache" / "aarch64"
TREE: Final = HOME / "root"
# Where Debian's interpreter looks for packages.
SITE: Final = TREE / "usr" / "lib" / "python3" / "dist-packages"
INTERPRETER: Final = TREE / "usr" / "bin" / "python3.11"
TRUE_INTERPRETER: Final = INTERPRETER.with_name("python3.11.arm64")

PROGRAMS: Final = {
    "qemu-aarch64-static": "qemu-user-static",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
}
PACKAGES: Final = (
    "python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib", "libc6", "libgcc-s1",
    "libbz2-1.0", "libexpat1", "libffi8", "liblzma5", "libssl3", "libuuid1", "zlib1g",
)  # fmt: skip
WHEELS: Final = ("hypothesis>=6.100", "pytest>=8.2", "pytest-xdist>=3.6", "variantlib==0.2.2")
# What an emulated interpreter needs longer; measured starts take 15 times as long as native ones.
SLOWNESS: Final = "4"

# What an emulator can show: the ABI, where libraries lie, the order of values, faults, and whole
# recorded machines through variantlib's loader. The namespaces of the other tests need the host.
FAULTS: Final = "tests/native/test_faults.py::test_"
STAGE: Final = (
    "-n", "2",
    "tests/native/test_abi.py",
    "tests/native/test_folders.py",
    # The host's ldconfig passes over libraries of another architecture.
    "--deselect=tests/native/test_folders.py::test_ldconfig_mends_a_container_whose_links_are_missing",
    "tests/native/test_targets_for_real.py",
    "tests/native/test_machines_for_real.py::test_enough_states_run_for_real",
    "tests/native/test_machines_for_real.py::test_below_a_forged_root",
    f"{FAULTS}where_nvml_ends_libcuda_answers",
    f"{FAULTS}where_nvml_hangs_libcuda_answers[sleep 60]",
    f"{FAULTS}a_crash_at_any_call_costs_no_fact",
    f"{FAULTS}two_daemons_and_a_crash_leave_nothing",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """Prepare what is not there yet, and run pytest."""
    if os.uname().machine == "aarch64":
        print("this machine is aarch64: the stage 'tests' is the real thing")
        return 0
    try:
        install_programs()
        prepare()
    except (OSError, subprocess.CalledProcessError) as error:
        return _give_up(str(error))
    # The emulator writes core files of its own into the working folder, however small the limit.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return subprocess.run(
        [str(INTERPRETER), "-m", "pytest", "-q", "-p", "no:cacheprovider", *(arguments or STAGE)],
        check=False,
        cwd=ROOT,
        env=_environment(),
    ).returncode


def _give_up(why: str) -> int:
    """Fail, unless someone without Debian's packages has said that this is all right."""
    skip = os.environ.get("CI_SKIP_AARCH64", "") == "1"
    print(f"no arm64 interpreter: {why}", file=sys.stderr)
    print("skipped" if skip else "set CI_SKIP_AARCH64=1 to go on without", file=sys.stderr)
    return 0 if skip else 1


def install_programs() -> None:
    """Install the emulator and the cross compiler where they are missing."""
    missing = [package for name, package in PROGRAMS.items() if not shutil.which(name)]
    if missing:
        options = ["-y", "-qq", "--no-install-recommends"]
        for command in (["update"], ["install", *options, *missing, "libc6-dev-arm64-cross"]):
            subprocess.run(["apt-get", *command], check=True, stdout=subprocess.DEVNULL)


def prepare() -> None:
    """Unpack the interpreter and the wheels, once for each version of this script."""
    stamp = HOME / "made-by"
    wanted = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text("ascii") != wanted:
        shutil.rmtree(HOME, ignore_errors=True)
        _unpack(_download())
        INTERPRETER.rename(TRUE_INTERPRETER)
        _install_wheels()
    # Written each time: the paths in them are full, and a cache may be copied.
    _write_starter()
    if not stamp.exists():
        # Without their bytecode an interpreter takes three times as long to start.
        compiling = [str(INTERPRETER), "-m", "compileall", "-q", str(TREE / "usr/lib/python3.11")]
        subprocess.run(compiling, check=True)
        stamp.write_text(wanted, "ascii")


def _download() -> Path:
    """Fetch the packages with an apt that knows arm64 alone and keeps its state in our folder."""
    folder = HOME / "apt"
    for needed in ("state/lists/partial", "cache/archives/partial", "debs"):
        (folder / needed).mkdir(parents=True)
    (folder / "status").touch()
    settings = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "",
        "Dir::State": str(folder / "state"),
        "Dir::State::status": str(folder / "status"),
        "Dir::Cache": str(folder / "cache"),
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    for command in (["update"], ["download", *PACKAGES]):
        subprocess.run(
            ["apt-get", "-qq", *options, *command], check=True, cwd=folder / "debs", env=_plain()
        )
    return folder / "debs"


def _unpack(folder: Path) -> None:
    TREE.mkdir()
    for package in sorted(folder.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", str(package), str(TREE)], check=True)


def _install_wheels() -> None:
    platforms = ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")
    command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(SITE)]
    command += ["--only-binary=:all:", "--python-version", "3.11", "--implementation", "cp"]
    command += [word for platform in platforms for word in ("--platform", platform)]
    subprocess.run([*command, *WHEELS], check=True, env=_plain())


def _write_starter() -> None:
    emulator = shutil.which("qemu-aarch64-static")
    # A new file each time: another run may be starting the old one.
    fresh = INTERPRETER.with_name(f"starter-{os.getpid()}")
    fresh.write_text(
        f'#!/bin/sh\nexec "{emulator}" -L "{TREE}" -0 "{INTERPRETER}" "{TRUE_INTERPRETER}" "$@"\n'
    )
    fresh.chmod(0o755)
    fresh.replace(INTERPRETER)
    compiler = HOME / "bin" / "gcc"
    compiler.parent.mkdir(exist_ok=True)
    if not compiler.is_symlink():
        compiler.symlink_to(shutil.which("aarch64-linux-gnu-gcc") or "")


def _environment() -> dict[str, str]:
    """Return the environment of the tests: the cross compiler is their ``gcc``."""
    return {
        **_plain(),
        "PATH": f"{HOME / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPYCACHEPREFIX": str(HOME / "pycache"),
        "NATIVE_TESTS_ASK": "in-process",
        "NATIVE_TESTS_SLOWNESS": SLOWNESS,
    }


def _plain() -> dict[str, str]:
    """Return the environment without what would steer apt, pip or an interpreter elsewhere."""
    return {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
