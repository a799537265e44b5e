"""The conformance cases against released clients: uv for rule set 0, variantlib for 1.

uv learns of a machine from a stand-in for nvidia-smi, so that machines with several GPUs or an
unusual driver are put to it too, and from its own variables where a case sets them. What it offers
is asked through installs, as in test_uv_parity.py: that it prefers each value of the expected list
to the next, that it offers the last, and that it offers none of all others.
"""

from __future__ import annotations

import json
import os
import sys
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from examples.torch.clients import install_with_uv
from nvidia_variant_provider.rules.catalogue import LOWER_BOUND, SM_ARCH, UPPER_BOUND, bound_values
from nvidia_variant_provider.tools.conformance.cases import PACKAGED
from nvidia_variant_provider.tools.demo.wheels import release_metadata, write_wheel
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL
from nvidia_variant_provider.tools.metadata.reading import parse_metadata
from nvidia_variant_provider.tools.wheels.name import WheelName
from tests.contract.test_uv_parity import FORCE_CUDA, FORCE_SM, MEMORY
from tests.contract.variantlib_runs import variantlib
from tests.slices import slice_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from nvidia_variant_provider.tools.metadata.model import Variant, VariantMetadata

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for nvidia-smi is a script"),
]

MACHINE_FILE = "NV_VARIANT_PROVIDER_MACHINE"
Offered: TypeAlias = dict[str, tuple[str, ...]]


def cases_with(evidence: str, *groups: str) -> list[dict[str, Any]]:
    files = [json.loads((PACKAGED / f"{group}.json").read_text("utf-8")) for group in groups]
    return [case for it in files for case in it["cases"] if case["evidence"] == evidence]


PROPERTIES = cases_with("uv", "properties-0")
CHOICES = cases_with("uv", "choices", "releases")
RELEASES = cases_with("variantlib", "releases")


def put_to(case: Mapping[str, Any]) -> list[Any]:
    """Return what makes two cases the same machine to an installer."""
    return [case["request"]["machine"], case["request"]["environment"]]


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

    def several(self, feature: str, values: tuple[str, ...]) -> str:
        """Return a release whose variant ``x`` is chosen if any of the values is offered."""
        return self._properties({"x": (feature, values)})

    def pair(self, feature: str, better: str, worse: str) -> str:
        """Return a release whose variant ``b`` is chosen if its value is preferred."""
        return self._properties({"b": (feature, (better,)), "a": (feature, (worse,))})

    def _properties(self, variants: Mapping[str, tuple[str, tuple[str, ...]]]) -> str:
        stated: dict[str, Variant] = {
            label: {"nvidia": {feature: values}} for label, (feature, values) in variants.items()
        }
        return self.release(release_metadata({NULL_LABEL: {}, **stated}))

    def install(self, case: Mapping[str, Any], names: Iterable[str]) -> dict[str, str | None]:
        requirements = [f"{name}==1" for name in dict.fromkeys(names)]
        settings = self._settings(case["request"])
        return install_with_uv(self.folder, requirements, settings, scratch_in=MEMORY)

    def _settings(self, request: Mapping[str, Any]) -> dict[str, str]:
        """Tell uv of a case's machine."""
        said = {name: request["environment"].get(name, "") for name in (FORCE_CUDA, FORCE_SM)}
        return {**said, "PATH": f"{self._stand_in(request['machine'])}{os.pathsep}/usr/bin:/bin"}

    def _stand_in(self, machine: Mapping[str, Any] | None) -> Path:
        """Write an ``nvidia-smi`` of a machine; where there is no driver it fails."""
        folder = self.tools / sha256(json.dumps(machine).encode()).hexdigest()[:16]
        folder.mkdir(exist_ok=True)
        cuda = machine["cuda_driver_version"] if machine else None
        gpus = [gpu["compute_capability"] or "[N/A]" for gpu in machine["gpus"]] if machine else []
        answers = f"""
        case "$1" in
        -q) echo "CUDA Version                              : {cuda}" ;;
        --query-gpu=driver_version*) echo 570.124.06 ;;
        --query-gpu=compute_cap*) {"; ".join(f"echo '{it}'" for it in gpus) or ":"} ;;
        *) exit 1 ;;
        esac
        """
        script = folder / "nvidia-smi"
        script.write_text(f"#!/bin/sh\n{answers if cuda else 'exit 9'}\n", "utf-8")
        script.chmod(0o755)
        return folder


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="module")
def known() -> dict[str, list[str]]:
    """Return every value that 0.0.x could mean, and whatever a case expects."""
    archs = [f"{it}_{kind}" for it in range(30, 140) for kind in ("real", "virtual")]
    bounds = list(bound_values())
    found = {LOWER_BOUND: bounds, UPPER_BOUND: bounds, SM_ARCH: [*archs, "90a_real", "100f_real"]}
    for case in PROPERTIES:
        for name, values in offered(case).items():
            found[name] = list(dict.fromkeys([*found[name], *values]))
    return found


@pytest.mark.parametrize("case", slice_of(PROPERTIES, every=6), ids=lambda it: it["id"])
def test_uv_offers_exactly_what_the_case_says(
    shelf: Shelf, known: dict[str, list[str]], case: dict[str, Any]
) -> None:
    wanted: dict[str, str | None] = {}
    for name, values in known.items():
        here = offered(case).get(name, ())
        rest = tuple(value for value in values if value not in here)
        wanted |= {shelf.pair(name, *pair): "b" for pair in pairwise(here)}
        wanted |= {shelf.several(name, (value,)): "x" for value in here[-1:]}
        if rest:
            wanted[shelf.several(name, rest)] = NULL_LABEL

    assert shelf.install(case, wanted) == wanted


def test_uv_takes_a_variant_for_any_of_several_values(shelf: Shelf) -> None:
    """Otherwise the above would hold of a uv that offers everything."""
    case = next(it for it in PROPERTIES if it["id"] == "properties-0/r525-h100")
    name = shelf.several(LOWER_BOUND, ("13.0", "12.0", "14.0"))

    assert shelf.install(case, [name]) == {name: "x"}


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("releases"))


@pytest.mark.parametrize(
    "machine", sorted({json.dumps(put_to(case)) for case in CHOICES}), ids=lambda it: it[:70]
)
def test_uv_chooses_the_labels_of_the_cases(releases: Shelf, machine: str) -> None:
    cases = [case for case in CHOICES if json.dumps(put_to(case)) == machine]
    wanted = {}
    for case in cases:
        document = json.dumps(case["request"]["metadata"]).encode()
        name = releases.release(parse_metadata(document, case["id"]))
        wanted[name] = case["expected"]["label"]

    assert releases.install(cases[0], wanted) == wanted


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
