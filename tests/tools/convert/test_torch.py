"""The proof: real published metadata, refused before, read and chosen from rightly after.

Every wheel, the ordinary one too, carries requirements with variant markers, in the form that its
release used; small wheels stand in for what they require, and installers resolve them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import ClientError, clean_environment, order_by_variantlib
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.findings.model import Severity
from nvidia_variant_provider.tools.lint.engine import lint
from tests.tools.convert.drafts import Json, torch_28, torch_29, torch_210
from tests.tools.lint.releases import write_release, write_wheel
from tests.tools.lint.uv import uv_install

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.clients

DRAFTS = {"2.8.0": torch_28(), "2.9.0": torch_29(), "2.10.0": torch_210()}
# On each machine the newest build it can run, by lower bound, architectures and order.
CASES = [
    ("2.8.0", "12.9", "9.0", "cu129"),
    ("2.8.0", "12.8", "9.0", "cu128"),
    ("2.8.0", "12.9", "6.1", "cu126"),
    ("2.8.0", "11.8", "9.0", "null"),
    ("2.9.0", "13.0", "9.0", "cuda13.0"),
    ("2.9.0", "12.8", "9.0", "cuda12.8"),
    ("2.9.0", "12.8", "6.1", "cuda12.6"),
    ("2.9.0", "11.8", "9.0", "null"),
    ("2.10.0", "13.0", "12.0", "cuda13.0"),
    ("2.10.0", "12.8", "8.0", "cuda12.8"),
    ("2.10.0", "12.8", "6.1", "cuda12.6"),
    ("2.10.0", "11.8", "9.0", "null"),
]
IDS = [f"{version} on {capability} with CUDA {cuda}" for version, cuda, capability, _ in CASES]

# What each build needs of its CUDA: 2.8 asked for properties, the later ones for the label.
BLAS = {
    "2.8.0": {
        "blas_12_6": "'nvidia :: cuda_version_lower_bound :: 12.0' in variant_properties",
        "blas_12_8": "'nvidia :: cuda_version_lower_bound :: 12.8' in variant_properties and "
        "'nvidia :: cuda_version_lower_bound :: 12.9' not in variant_properties",
        "blas_12_9": "'nvidia :: cuda_version_lower_bound :: 12.9' in variant_properties",
        "blas_cpu": "'nvidia' not in variant_namespaces",
    },
    "2.9.0": {
        "blas_12_6": "variant_label == 'cuda12.6'",
        "blas_12_8": "'cuda12.8' == variant_label",
        "blas_13_0": "variant_label == 'cuda13.0'",
        "blas_cpu": "variant_label in 'null' or variant_label == ''",
    },
}
BLAS["2.10.0"] = BLAS["2.9.0"]
NEEDED = {
    "cu126": "blas_12_6", "cu128": "blas_12_8", "cu129": "blas_12_9", "cuda12.6": "blas_12_6",
    "cuda12.8": "blas_12_8", "cuda13.0": "blas_13_0", "null": "blas_cpu",
}  # fmt: skip

# Of the other vendors' providers neither is published; without devices they would say this.
NO_DEVICE = """
class {name}:
    namespace = "{vendor}"
    is_build_plugin = all_properties_compatible = False

    @classmethod
    def get_supported_configs(cls):
        return []

    get_all_configs = get_supported_configs
"""


def publish(folder: Path, version: str, document: Json) -> Path:
    """Write a release with a wheel for each label, an ordinary one, and what they require."""
    tags = f"torch-{version}-py3-none-any"
    names = [f"{tags}-{label}.whl" for label in document["variants"]]
    required = [f"{it}; os_name == 'posix' and ({test})" for it, test in BLAS[version].items()]
    described = {
        "index": document,
        "index-name": f"torch-{version}-variants.json",
        "wheels": {name: {"requires-dist": required} for name in [*names, f"{tags}.whl"]},
    }
    (folder / "needed").mkdir()
    for name in BLAS[version]:
        write_wheel(folder / "needed" / f"{name}-1.0-py3-none-any.whl", None)
    return write_release(folder / "release", described)


def convert_all(folder: Path) -> int:
    return main(["convert", "--bake-markers", "--write", str(folder)])


def links(folder: Path) -> tuple[str, ...]:
    needed = str(folder.parent / "needed")
    return ("--find-links", str(folder), "--find-links", needed, "--no-index", "torch")


def settings(cuda: str, capability: str) -> dict[str, str]:
    return {
        "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": cuda,
        "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": capability,
    }


@pytest.fixture
def other_vendors(tmp_path: Path) -> dict[str, str]:
    """Return the setting that lets variantlib find plugins of AMD and Intel without devices."""
    for vendor, name in (("amd", "AMDVariantPlugin"), ("intel", "IntelVariantPlugin")):
        package = tmp_path / "plugins" / f"{vendor}_variant_provider"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "plugin.py").write_text(NO_DEVICE.format(name=name, vendor=vendor))
    return {"PYTHONPATH": str(tmp_path / "plugins")}


@pytest.mark.parametrize("version", DRAFTS)
def test_before_both_clients_refuse(version: str, tmp_path: Path) -> None:
    folder = publish(tmp_path, version, DRAFTS[version])
    done = uv_install(settings("13.0", "9.0"), *links(folder), module="torch")

    assert done.label is None
    assert "Failed to parse variant metadata" in done.stderr
    with pytest.raises(ClientError, match="unexpected subkeys"):
        order_by_variantlib(folder / f"torch-{version}-variants.json", {})


@pytest.mark.parametrize("version", DRAFTS)
def test_with_their_markers_uv_and_pip_refuse_what_is_otherwise_right(
    version: str, tmp_path: Path
) -> None:
    folder = publish(tmp_path, version, DRAFTS[version])
    main(["convert", "--write", str(folder)])

    by_uv = uv_install(settings("13.0", "9.0"), *links(folder), module="torch")
    by_pip = pip_install(tmp_path / "target", *links(folder))
    assert (by_uv.label, by_pip) == (None, ())
    assert "Expected a quoted string or a valid marker name" in by_uv.stderr


@pytest.mark.parametrize("version", DRAFTS)
def test_after_pip_installs_the_ordinary_wheel_with_its_requirements(
    version: str, tmp_path: Path
) -> None:
    folder = publish(tmp_path, version, DRAFTS[version])
    convert_all(folder)

    # Of the markers of 2.8 and later, the wheel without a label meets that of the CPU.
    assert pip_install(tmp_path / "target", *links(folder)) == ("blas_cpu", "torch")


def pip_install(target: Path, *arguments: str) -> tuple[str, ...]:
    """Install with pip and return the names of what is there then, none if it failed."""
    command = [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--target", str(target)]
    environment = {it: text for it, text in clean_environment().items() if it[:4] != "PIP_"}
    done = subprocess.run(
        [*command, *arguments],
        env=environment | {"PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        timeout=120,
        check=False,
    )
    found = sorted(it.name.split("-")[0] for it in target.glob("*.dist-info"))
    return tuple(found) if done.returncode == 0 else ()


@pytest.mark.parametrize(("version", "cuda", "capability", "expected"), CASES, ids=IDS)
def test_after_uv_installs_the_right_build(
    version: str, cuda: str, capability: str, expected: str, tmp_path: Path
) -> None:
    folder = publish(tmp_path, version, DRAFTS[version])
    code = convert_all(folder)

    done = uv_install(settings(cuda, capability), *links(folder), module="torch")
    # The module still says the label it was built under.
    built = {"null": "00000000"}.get(expected, expected) if version == "2.8.0" else expected
    assert (code, done.label, done.packages) == (0, built, (NEEDED[expected], "torch"))


@pytest.mark.parametrize(("version", "cuda", "capability", "expected"), CASES, ids=IDS)
def test_after_variantlib_prefers_the_right_build(
    version: str,
    cuda: str,
    capability: str,
    expected: str,
    tmp_path: Path,
    other_vendors: dict[str, str],
) -> None:
    folder = publish(tmp_path, version, DRAFTS[version])
    convert_all(folder)

    found = order_by_variantlib(
        folder / f"torch-{version}-variants.json", settings(cuda, capability) | other_vendors
    )
    assert found[0] == expected


@pytest.mark.parametrize("version", DRAFTS)
def test_after_lint_finds_nothing_but_facts(version: str, tmp_path: Path) -> None:
    folder = publish(tmp_path, version, DRAFTS[version])
    convert_all(folder)

    findings = list(lint([str(folder)]).findings)
    assert [str(it) for it in findings if it.rule.severity is not Severity.NOTE] == []


def test_the_wheel_of_a_renamed_label_is_renamed(tmp_path: Path) -> None:
    folder = publish(tmp_path, "2.8.0", torch_28())
    convert_all(folder)

    with zipfile.ZipFile(folder / "torch-2.8.0-py3-none-any-null.whl") as archive:
        carried = json.loads(archive.read("torch-2.8.0.dist-info/variant.json"))
    assert list(carried["variants"]) == ["null"]
    assert not list(folder.glob("*00000000*"))
