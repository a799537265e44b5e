"""The conformance cases against released clients: uv 0.13.8 for rule set 0, variantlib for 1.

uv is told of the CUDA driver version by its variable and of the GPUs by a stand-in for nvidia-smi,
so that machines with several GPUs are put to it too. What it offers is asked through installs, as
in test_uv_parity.py: every value known, and every two neighbours of the expected order.
"""

from __future__ import annotations

import json
import os
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from examples.torch.clients import install_with_uv
from examples.torch.wheels import release_metadata, write_wheel
from nvidia_variant_provider.conformance.cases import PACKAGED
from nvidia_variant_provider.metadata import parse_metadata
from nvidia_variant_provider.ordering import NULL_LABEL
from nvidia_variant_provider.rules import catalogue
from nvidia_variant_provider.wheel_name import WheelName
from tests.contract.test_uv_parity import FORCE_CUDA, FORCE_SM, MEMORY
from tests.contract.variantlib_runs import variantlib

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from nvidia_variant_provider.metadata import VariantMetadata

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for nvidia-smi is a script"),
]

MACHINE_FILE = "NV_VARIANT_PROVIDER_MACHINE"
Offered = dict[str, tuple[str, ...]]


def cases_with(evidence: str, *groups: str) -> list[dict[str, Any]]:
    files = [json.loads((PACKAGED / f"{group}.json").read_text("utf-8")) for group in groups]
    return [case for it in files for case in it["cases"] if case["evidence"] == evidence]


PROPERTIES = cases_with("uv", "properties-0")
CHOICES = cases_with("uv", "choices", "releases")
RELEASES = cases_with("variantlib", "releases")


def offered(case: Mapping[str, Any]) -> Offered:
    return {it["name"]: tuple(it["values"]) for it in case["expected"]["features"]}


class Shelf:
    """A flat folder of releases, each once, and the uv that installs from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "wheels"
        self.folder.mkdir()
        self.tools = folder
        self._names: dict[str, str] = {}

    def release(self, metadata: VariantMetadata) -> str:
        """Write a release, with a wheel that is no variant beside its variants."""
        text = metadata.to_json()
        if text not in self._names:
            name = self._names[text] = f"p{len(self._names)}"
            for label in (*metadata.variants, ""):
                wheel = WheelName(name, "1", "", "py3", "none", "any", label)
                write_wheel(self.folder, wheel, metadata)
            (self.folder / f"{name}-1-variants.json").write_text(text, "utf-8")
        return self._names[text]

    def single(self, feature: str, value: str) -> str:
        """Return a release whose variant ``x`` is chosen if the property is offered."""
        return self._properties({"x": (feature, value)})

    def pair(self, feature: str, better: str, worse: str) -> str:
        """Return a release whose variant ``b`` is chosen if its value is preferred."""
        return self._properties({"b": (feature, better), "a": (feature, worse)})

    def _properties(self, variants: Mapping[str, tuple[str, str]]) -> str:
        stated = {
            label: {"nvidia": {feature: (value,)}} for label, (feature, value) in variants.items()
        }
        return self.release(release_metadata({NULL_LABEL: {}, **stated}))

    def install(self, case: Mapping[str, Any], names: Iterable[str]) -> dict[str, str | None]:
        requirements = [f"{name}==1" for name in dict.fromkeys(names)]
        settings = self._settings(case["request"])
        return install_with_uv(self.folder, requirements, settings, scratch_in=MEMORY)

    def _settings(self, request: Mapping[str, Any]) -> dict[str, str]:
        """Tell uv of a case's machine."""
        said = {name: text for name, text in request["environment"].items() if text}
        machine = request["machine"] or {"cuda_driver_version": "", "gpus": []}
        kept = {name: text for name, text in said.items() if name in {FORCE_CUDA, FORCE_SM}}
        capabilities = [gpu["compute_capability"] for gpu in machine["gpus"]]
        folder = self.tools / ("smi-" + "-".join(capabilities))
        folder.mkdir(exist_ok=True)
        if capabilities:
            script = folder / "nvidia-smi"
            lines = "".join(f"echo {it}\n" for it in capabilities)
            test = 'case "$1" in --query-gpu=compute_cap*) ;; *) exit 1 ;; esac\n'
            script.write_text(f"#!/bin/sh\n{test}{lines}", "utf-8")
            script.chmod(0o755)
        path = f"{folder}{os.pathsep}{os.environ['PATH']}"
        return {FORCE_CUDA: machine["cuda_driver_version"] or "", **kept, "PATH": path}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    shelf = Shelf(tmp_path_factory.mktemp("shelf"))
    for case in PROPERTIES:
        for feature, values in offered(case).items():
            for better, worse in pairwise(values):
                shelf.pair(feature, better, worse)
    return shelf


@pytest.fixture(scope="module")
def known() -> list[tuple[str, str]]:
    """Every value of the catalogue that 0.0.x could mean, and whatever a case expects."""
    plain = [
        (it.name, value)
        for it in catalogue()
        for value in it.values
        if not ("a_" in value or "f_" in value)
    ]
    expected = [
        (name, it) for case in PROPERTIES for name, all_ in offered(case).items() for it in all_
    ]
    return list(
        dict.fromkeys([*plain, ("sm_arch", "90a_real"), ("sm_arch", "100f_real"), *expected])
    )


@pytest.mark.parametrize("case", PROPERTIES, ids=lambda it: it["id"])
def test_uv_offers_exactly_what_the_case_says(
    shelf: Shelf, known: list[tuple[str, str]], case: dict[str, Any]
) -> None:
    features = offered(case)
    wanted = {
        shelf.single(name, value): "x" if value in features.get(name, ()) else NULL_LABEL
        for name, value in known
    }
    wanted |= {
        shelf.pair(name, *pair): "b"
        for name, values in features.items()
        for pair in pairwise(values)
    }

    assert shelf.install(case, wanted) == wanted


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("releases"))


@pytest.mark.parametrize("case", CHOICES, ids=lambda it: it["id"])
def test_uv_chooses_the_label_of_the_case(releases: Shelf, case: dict[str, Any]) -> None:
    document = json.dumps(case["request"]["metadata"]).encode()
    name = releases.release(parse_metadata(document, case["id"]))

    assert releases.install(case, [name]) == {name: case["expected"]["label"]}


ASK = """
import json, pathlib
from variantlib.api import get_variants_by_priority

for document in json.loads(pathlib.Path("asked.json").read_text()):
    found = get_variants_by_priority(variants_json=document)
    print(json.dumps([variant.label for variant in found]))
"""


@pytest.mark.parametrize(
    "machine", sorted({json.dumps(case["request"]["machine"]) for case in RELEASES})
)
def test_variantlib_chooses_the_labels_of_rule_set_1(tmp_path: Path, machine: str) -> None:
    cases = [case for case in RELEASES if json.dumps(case["request"]["machine"]) == machine]
    (tmp_path / "machine.json").write_text(machine, "utf-8")
    asked = tmp_path / "asked.json"
    asked.write_text(json.dumps([case["request"]["metadata"] for case in cases]), "utf-8")

    settings = {MACHINE_FILE: str(tmp_path / "machine.json")}
    done = variantlib("0.2.2", tmp_path).run_code(ASK, settings=settings)

    assert done.returncode == 0, done.stderr
    chosen = [json.loads(line)[0] for line in done.stdout.splitlines()]
    assert chosen == [case["expected"]["label"] for case in cases]
