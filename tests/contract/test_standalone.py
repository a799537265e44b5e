"""The stand-alone archive answers as the package does, in an interpreter that has no package."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nvidia_variant_provider import __version__
from nvidia_variant_provider.detect.host import RealHost
from nvidia_variant_provider.errors import OverrideError
from nvidia_variant_provider.provider import answer
from tests.native.build import R580
from tests.native.machines import ForgedMachine, gpu_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.native.build import StandIns

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "NV_VARIANT_PROVIDER_"
# Neither site packages nor the current folder nor the user's variables: the package is not there.
BARE = [sys.executable, "-I", "-S", "-B", "-X", "utf8"]


def build(folder: Path, **environment: str) -> Path:
    script = str(ROOT / ".ci" / "build_standalone.py")
    subprocess.run(
        [sys.executable, script, "--outdir", str(folder)],
        check=True,
        capture_output=True,
        env={**os.environ, **environment},
    )
    return folder / f"nvidia_variant_provider-{__version__}.pyz"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("standalone"))


def run(
    archive: Path, settings: Mapping[str, str], code: str = ""
) -> subprocess.CompletedProcess[str]:
    clean = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    start = ["-c", f"import sys; sys.path.insert(0, {str(archive)!r})\n{code}"]
    return subprocess.run(
        [*BARE, *(start if code else [str(archive)])],
        capture_output=True,
        text=True,
        check=False,
        cwd=archive.parent,
        env={**clean, **settings},
    )


def features_of_the_package(settings: Mapping[str, str]) -> list[dict[str, Any]]:
    clean = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    return [
        {"name": it.name, "values": list(it.values), "multi_value": it.multi_value}
        for it in answer({**clean, **settings}).decision.features
    ]


@pytest.fixture
def machine(tmp_path: Path, stand_ins: StandIns) -> ForgedMachine:
    forged = ForgedMachine(tmp_path / "root", stand_ins)
    forged.add_driver()
    forged.add_pci_gpu()
    return forged


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"FORCE_CUDA_DRIVER_VERSION": "12.8", "FORCE_SM_ARCH": "9.0"},
        {"FORCE_CUDA_DRIVER_VERSION": "12.8", "FORCE_SM_ARCH": "9.0", "RULES": "0"},
        {"FORCE_SM_ARCH": "10.3"},
    ],
    ids=str,
)
def test_the_archive_answers_as_the_package(archive: Path, settings: dict[str, str]) -> None:
    settings = {PREFIX + name: text for name, text in settings.items()}

    done = run(archive, settings)

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"features": features_of_the_package(settings)}


def test_what_only_a_person_asks_for_is_not_in_the_archive(archive: Path) -> None:
    names = zipfile.ZipFile(archive).namelist()

    words = ("remedies", "record.py", "replay", "masking", "control", "product", "targets/")
    assert [name for name in names if any(word in name for word in words)] == []


def test_a_target_is_refused_with_what_to_set_instead(archive: Path) -> None:
    done = run(archive, {f"{PREFIX}TARGET": "h100@580"})

    assert (done.returncode, done.stdout) == (2, "")
    assert "has no product names" in done.stderr
    assert f"{PREFIX}FORCE_SM_ARCH" in done.stderr


def test_a_machine_file_is_read(archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "machine.json"
    gpus = [{"compute_capability": "7.5"}, {"compute_capability": "8.6"}]
    path.write_text(json.dumps({"cuda_driver_version": "12.8", "gpus": gpus}), "utf-8")

    done = run(archive, {f"{PREFIX}MACHINE": str(path)})

    found = [it["name"] for it in json.loads(done.stdout)["features"]]
    assert found == ["sm_arch", "cuda_version_lower_bound", "cuda_version_upper_bound"]


def test_the_probe_child_is_started_out_of_the_archive(
    archive: Path, machine: ForgedMachine
) -> None:
    machine.install("nvml", R580 + gpu_lines())
    settings = {f"{PREFIX}ROOT": str(machine.root)}

    done = run(archive, settings)

    features = json.loads(done.stdout)["features"]
    assert features == features_of_the_package(settings)
    # Only the library could say so: the child ran.
    assert [it["values"][0] for it in features] == ["13.0", "15.20", "90a_real"]


def test_a_library_that_crashes_takes_only_the_child_along(
    archive: Path, machine: ForgedMachine
) -> None:
    for api in ("nvml", "cuda"):
        machine.install(api, f"{R580}{gpu_lines()}at init segfault\nat load print stdout 9\n")
    settings = {f"{PREFIX}ROOT": str(machine.root)}

    done = run(archive, settings)

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["features"] == features_of_the_package(settings)


def test_a_program_is_guarded_as_well(archive: Path) -> None:
    code = """
from nvidia_variant_provider.detect.host import RealHost
print(RealHost().run_program(["/bin/echo", "hello"], 20.0).text, end="")
"""
    expected = RealHost().run_program(["/bin/echo", "hello"], 20.0).text

    assert run(archive, {}, code).stdout == expected == "hello\n"


def test_nothing_of_the_installed_package_is_used(archive: Path) -> None:
    code = """
from nvidia_variant_provider.plugin import NvidiaVariantPlugin
NvidiaVariantPlugin.get_all_configs(); NvidiaVariantPlugin.get_supported_configs()
from nvidia_variant_provider.provider import answer
import os; answer(os.environ)
ours = [it for name, it in sys.modules.items() if name.startswith("nvidia_variant_provider")]
print(sorted({os.path.commonpath([it.__file__, sys.path[0]]) for it in ours}))
"""
    done = run(archive, {}, code)

    assert (done.stdout, done.stderr) == (f"[{str(archive)!r}]\n", "")


def test_every_module_of_the_archive_can_be_imported(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = [it for it in opened.namelist() if it.startswith("nvidia") and it.endswith(".py")]
    modules = [it[:-3].replace("/", ".").removesuffix(".__init__") for it in names]
    code = f"import importlib\nfor name in {modules!r}: importlib.import_module(name)"

    done = run(archive, {}, code)

    assert (done.returncode, done.stderr) == (0, "")
    # The tools stay outside.
    assert not [it for it in modules if it.split(".")[1:2] in (["cli"], ["records"], ["lint"])]


def test_a_malformed_override_is_an_error(archive: Path) -> None:
    settings = {f"{PREFIX}FORCE_SM_ARCH": "90"}

    done = run(archive, settings)

    with pytest.raises(OverrideError) as raised:
        answer(settings)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {raised.value}\n")


def test_building_elsewhere_and_later_gives_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    again = build(tmp_path, TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="7")

    for suffix in ("", ".sha256", ".cdx.json"):
        name = f"{archive.name}{suffix}"
        assert (again.parent / name).read_bytes() == (archive.parent / name).read_bytes()


def test_the_hash_is_that_of_the_archive(archive: Path) -> None:
    line = archive.with_name(f"{archive.name}.sha256").read_text("ascii")

    assert line == f"{hashlib.sha256(archive.read_bytes()).hexdigest()}  {archive.name}\n"


@pytest.fixture
def bill(archive: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(archive.with_name(f"{archive.name}.cdx.json").read_text())
    return document


def test_the_bill_of_materials_is_valid_cyclonedx(bill: dict[str, Any]) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill))

    assert error is None, str(error)[:300]


def test_the_bill_lists_every_file_with_its_hash(archive: Path, bill: dict[str, Any]) -> None:
    with zipfile.ZipFile(archive) as opened:
        wanted = {name: hashlib.sha256(opened.read(name)).hexdigest() for name in opened.namelist()}

    files = [it for it in bill["components"] if it["type"] == "file"]

    assert {it["name"]: it["hashes"][0]["content"] for it in files} == wanted
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert bill["metadata"]["component"]["hashes"][0]["content"] == digest
