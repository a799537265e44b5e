"""The proof: real published metadata, refused before, read and chosen from rightly after."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import ClientError, order_by_variantlib
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.findings.model import Severity
from nvidia_variant_provider.tools.lint.engine import lint
from tests.tools.convert.drafts import Json, torch_28, torch_29, torch_210
from tests.tools.lint.releases import write_release
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
    """Write a release with a wheel for each label and an ordinary one."""
    tags = f"torch-{version}-py3-none-any"
    names = [f"{tags}-{label}.whl" for label in document["variants"]]
    described = {
        "index": document,
        "index-name": f"torch-{version}-variants.json",
        "wheels": {name: {} for name in [*names, f"{tags}.whl"]},
    }
    return write_release(folder / "release", described)


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
    done = uv_install(settings("13.0", "9.0"), "--find-links", str(folder), "--no-index", "torch")

    assert done.label is None
    assert "Failed to parse variant metadata" in done.stderr
    with pytest.raises(ClientError, match="unexpected subkeys"):
        order_by_variantlib(folder / f"torch-{version}-variants.json", {})


@pytest.mark.parametrize(("version", "cuda", "capability", "expected"), CASES, ids=IDS)
def test_after_uv_installs_the_right_build(
    version: str, cuda: str, capability: str, expected: str, tmp_path: Path
) -> None:
    folder = publish(tmp_path, version, DRAFTS[version])
    code = main(["convert", "--to", "850", "--write", str(folder)])

    links = ("--find-links", str(folder), "--no-index")
    done = uv_install(settings(cuda, capability), *links, "torch", module="torch")
    # The module still says the label it was built under.
    built = {"null": "00000000"}.get(expected, expected) if version == "2.8.0" else expected
    assert (code, done.label) == (0, built)


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
    main(["convert", "--to", "850", "--write", str(folder)])

    found = order_by_variantlib(
        folder / f"torch-{version}-variants.json", settings(cuda, capability) | other_vendors
    )
    assert found[0] == expected


@pytest.mark.parametrize("version", DRAFTS)
def test_after_lint_finds_nothing_but_facts(version: str, tmp_path: Path) -> None:
    folder = publish(tmp_path, version, DRAFTS[version])
    main(["convert", "--to", "850", "--write", str(folder)])

    findings = list(lint([str(folder)]).findings)
    assert [str(it) for it in findings if it.rule.severity is not Severity.NOTE] == []


def test_the_wheel_of_a_renamed_label_is_renamed(tmp_path: Path) -> None:
    folder = publish(tmp_path, "2.8.0", torch_28())
    main(["convert", "--to", "850", "--write", str(folder)])

    with zipfile.ZipFile(folder / "torch-2.8.0-py3-none-any-null.whl") as archive:
        carried = json.loads(archive.read("torch-2.8.0.dist-info/variant.json"))
    assert list(carried["variants"]) == ["null"]
    assert not list(folder.glob("*00000000*"))
