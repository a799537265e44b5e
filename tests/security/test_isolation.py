"""What surrounds the installer must not reach the probes, and what they are given is documented."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider import overrides
from nvidia_variant_provider.detect.host import RealHost
from nvidia_variant_provider.detect.smi import find_programs
from tests.contract.test_layers import HOT_MODULES, others, runtime_nodes, tree_of
from tests.contract.watched import run_watched
from tests.native.asking import REPOSITORY
from tests.native.build import R580
from tests.native.machines import ForgedMachine, gpu_lines
from tests.security import page

if TYPE_CHECKING:
    from pathlib import Path

    from tests.native.build import StandIns

# The kernel knows an H100; only a child that works can say 10.3.
SAYS_MORE: Final = R580 + gpu_lines(capability="10.3")
ASK: Final = """
from nvidia_variant_provider.plugin import NvidiaVariantPlugin
value = [config.values[0] for config in NvidiaVariantPlugin.get_supported_configs()]
"""
# Beside the rest of detection, and never loaded by the plugin.
FOR_TOOLS: Final = frozenset({"detect.masking", "detect.record", "detect.replay"})
KERNEL_SAYS: Final = ["13.0", "15.20", "90a_real"]
LIBRARY_SAYS: Final = ["13.0", "15.20", "103a_real"]


@pytest.fixture
def machine(tmp_path: Path, stand_ins: StandIns) -> ForgedMachine:
    """Return an H100 and its driver, whose NVML says more than the kernel."""
    forged = ForgedMachine(tmp_path / "root", stand_ins)
    forged.add_driver()
    forged.add_pci_gpu()
    forged.install("nvml", SAYS_MORE)
    return forged


def test_an_interpreter_with_nothing_else_installed_can_run_it(
    machine: ForgedMachine, tmp_path: Path
) -> None:
    """The package alone, as a folder, and no site packages: what installers can count on."""
    shutil.copytree(
        REPOSITORY / "nvidia_variant_provider", tmp_path / "alone" / "nvidia_variant_provider"
    )
    code = f"""
import sys
sys.path.append({str(tmp_path / "alone")!r})
{ASK}
NvidiaVariantPlugin.get_all_configs()
print(value)
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", code],
        env={"NV_VARIANT_PROVIDER_ROOT": str(machine.root)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == (f"{LIBRARY_SAYS}\n", "")


def test_installed_packages_are_not_imported(machine: ForgedMachine) -> None:
    lines = f"{ASK}\nNvidiaVariantPlugin.get_all_configs()\n"

    watched = run_watched(lines, NV_VARIANT_PROVIDER_ROOT=str(machine.root))

    assert watched.value == LIBRARY_SAYS
    tops = {name.partition(".")[0] for name in watched.modules}
    assert tops - sys.stdlib_module_names == {"nvidia_variant_provider"}


def test_no_format_that_runs_code_is_read() -> None:
    runs_code = {"pickle", "marshal", "shelve", "code", "codeop", "runpy", "dbm"}

    assert {it for it in HOT_MODULES if others(it) & runs_code} == set()


def test_children_work_in_the_root_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert RealHost().run_program(["/bin/pwd"], 20.0).text == "/\n"


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Path, Path]:
    """Return a folder full of start-up files, and the file that they would make."""
    folder, sprung = tmp_path / "planted", tmp_path / "sprung"
    user = folder / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    user.mkdir(parents=True)
    mark = f"open({str(sprung)!r}, 'a').write('sprung')\n"
    for name in (
        "sitecustomize",
        "usercustomize",
        "ctypes",
        "select",
        "resource",
        "json",
        "encodings",
    ):
        for place in (folder, user):
            (place / f"{name}.py").write_text(mark, "utf-8")
    (user / "planted.pth").write_text(f"import sys; {mark}", "utf-8")
    return folder, sprung


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PYTHONPATH", "{planted}"),
        ("PYTHONHOME", "{planted}"),
        ("PYTHONUSERBASE", "{planted}"),
        ("PYTHONSTARTUP", "{planted}/sitecustomize.py"),
        ("PYTHONINSPECT", "1"),
        ("PYTHONWARNINGS", "error"),
        ("PYTHONVERBOSE", "2"),
        ("PYTHONPROFILEIMPORTTIME", "1"),
        ("PYTHONPYCACHEPREFIX", "{planted}"),
        ("PYTHONPLATLIBDIR", "nowhere"),
        ("PYTHONIOENCODING", "utf-16"),
        ("PYTHONMALLOC", "no-such-allocator"),
    ],
)
def test_no_variable_of_python_reaches_the_children(
    machine: ForgedMachine, planted: tuple[Path, Path], name: str, text: str
) -> None:
    folder, sprung = planted
    # Set once the installer runs: what it does to the installer itself is Python's affair.
    lines = f"os.environ[{name!r}] = {text.format(planted=folder)!r}\n{ASK}"
    before = sorted(folder.rglob("*"))

    watched = run_watched(lines, NV_VARIANT_PROVIDER_ROOT=str(machine.root))

    assert watched.value == LIBRARY_SAYS
    assert not sprung.exists()
    assert sorted(folder.rglob("*")) == before


def test_children_get_the_environment_that_the_page_describes() -> None:
    described = page.TEXT.partition("Children get the environment")[2].partition("\n\n")[0]
    hidden = re.findall(r"`([A-Z_0-9]+)`", described.partition("are taken out")[0])
    given = {
        **dict.fromkeys(hidden, "1"),
        "PATH": "/usr/bin:.::bin:/bin",
        "LD_LIBRARY_PATH": ".:/nowhere/a;relative::/nowhere/b:",
        "LD_PRELOAD": "",
        "LC_ALL": "de_DE.UTF-8",
        "LC_TIME": "de_DE.UTF-8",
        "CUDA_CACHE_DISABLE": "0",
        "SOMETHING": "else",
    }

    reply = RealHost(given).run_program(["/usr/bin/env", "-0"], 20.0)

    assert len(hidden) == 4
    assert dict(row.split("=", 1) for row in reply.text.split("\0") if row) == {
        "PATH": "/usr/bin:/bin",
        "LD_LIBRARY_PATH": "/nowhere/a:/nowhere/b",
        "LD_PRELOAD": "",
        "LC_ALL": "C",
        "LC_TIME": "de_DE.UTF-8",
        "CUDA_CACHE_DISABLE": "1",
        "SOMETHING": "else",
    }


def test_no_setting_of_ours_can_name_a_program(machine: ForgedMachine) -> None:
    """The settings, and every other variable that is read: a new one must be thought of."""
    settings = {
        value.removeprefix(overrides.PREFIX)
        for name, value in vars(overrides).items()
        if name.isupper() and isinstance(value, str) and value.startswith(overrides.PREFIX)
    }
    loaded = run_watched(ASK, NV_VARIANT_PROVIDER_ROOT=str(machine.root)).modules
    assert {f"nvidia_variant_provider.{it}" for it in FOR_TOOLS} & loaded == set()
    read = {it for module in set(HOT_MODULES) - FOR_TOOLS for it in variables_read(module)}

    facts = {"FORCE_CUDA_DRIVER_VERSION", "FORCE_SM_ARCH", "TARGET", "GPU", "RULES", "TIMEOUT"}
    assert settings - {""} == facts | {"MACHINE", "ROOT"}
    assert read == {
        "CUDA_VISIBLE_DEVICES",
        "LD_LIBRARY_PATH",
        "PATH",
        "PROCESSOR_ARCHITECTURE",
        "ProgramW6432",
        "SystemRoot",
        "container",
    }


def variables_read(module: str) -> set[str]:
    """Return the variables that a module reads by a name written there."""
    named: list[ast.expr] = []
    for node in runtime_nodes(tree_of(module)):
        if isinstance(node, ast.Call) and re.search(
            r"environ\.get$|getenv$", ast.unparse(node.func)
        ):
            named += node.args[:1]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
            named.append(node.slice)
    return {str(it.value) for it in named if isinstance(it, ast.Constant)}


def test_the_program_of_the_system_goes_before_one_on_the_path(tmp_path: Path) -> None:
    def found(*paths: str) -> str:
        root = tmp_path / str(len(paths))
        for path in paths:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("#!/bin/sh\n", "utf-8")
        host = RealHost({"PATH": "relative:.::/opt/mine"}, str(root))
        return "".join(find_programs(host)[:1])

    assert found("opt/mine/nvidia-smi", "usr/bin/nvidia-smi") == "/usr/bin/nvidia-smi"
    assert found("opt/mine/nvidia-smi") == "/opt/mine/nvidia-smi"
    assert found("relative/nvidia-smi", "nvidia-smi", "bin/nvidia-smi") == ""


def test_without_a_driver_no_library_is_loaded(tmp_path: Path, stand_ins: StandIns) -> None:
    forged = ForgedMachine(tmp_path / "root", stand_ins)
    forged.add_pci_gpu()
    for api in ("nvml", "cuda"):
        forged.install(api, SAYS_MORE)
    forged.write("/usr/bin/nvidia-smi", "#!/bin/sh\n").chmod(0o755)

    watched = run_watched(ASK, NV_VARIANT_PROVIDER_ROOT=str(forged.root))

    assert watched.value == []
    assert watched.deeds == []


@pytest.mark.parametrize(
    "lines",
    ["sys.frozen = True", "sys.executable = '/usr/bin/true'", "sys.executable = ''"],
    ids=["frozen", "embedded", "unknown"],
)
def test_a_program_that_embeds_python_is_not_started_again(
    machine: ForgedMachine, lines: str
) -> None:
    watched = run_watched(f"{lines}\n{ASK}", NV_VARIANT_PROVIDER_ROOT=str(machine.root))

    assert watched.value == KERNEL_SAYS
    assert watched.deeds == []


def test_a_line_without_the_token_of_this_run_is_dropped(machine: ForgedMachine) -> None:
    """The library writes answers to every pipe that it finds, with another token and without.

    It does so after the true answer: of two, the later one counts.
    """
    machine.install("nvml", f"{R580}{gpu_lines()}at uuid scribble\n")

    watched = run_watched(ASK, NV_VARIANT_PROVIDER_ROOT=str(machine.root))

    assert watched.value == KERNEL_SAYS
    assert watched.output == b""
