"""What variantlib 0.2.2 refuses, lint calls an error."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from variantlib.variants_json import VariantsJson

from nvidia_variant_provider.tools.findings.model import Severity
from nvidia_variant_provider.tools.lint.engine import lint
from tests.tools.lint.releases import Json, Section, merge_patch, read_base, read_sections

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = [
    (it, index)
    for it in read_sections()
    if isinstance(index := merge_patch(read_base(), it.example).get("index"), dict)
]

TEXTS = st.sampled_from(["nvidia", "90_real", "90-real", "A", "", "nvidia-variant-provider>=0"])
JUNK = (
    st.none()
    | st.booleans()
    | st.integers(0, 3)
    | TEXTS
    | st.lists(TEXTS, max_size=3)
    | st.dictionaries(TEXTS, st.lists(TEXTS, max_size=2), max_size=2)
)


def is_read(document: Json) -> bool:
    # The reader takes what it is given apart, and fails in ways of its own on the wrong types.
    try:
        VariantsJson(copy.deepcopy(document))
    except Exception:  # noqa: BLE001 - any failure is a refusal here
        return False
    return True


def has_error(document: Json, folder: Path) -> bool:
    path = folder / "demo-1.0-variants.json"
    path.write_text(json.dumps(document))
    report = lint([str(path)])
    return any(it.rule.severity is Severity.ERROR for it in report.findings)


def test_variantlib_reads_the_release_that_the_examples_change() -> None:
    assert is_read(read_base()["index"])


@pytest.mark.parametrize(("section", "document"), EXAMPLES, ids=lambda it: getattr(it, "code", ""))
def test_examples(section: Section, document: Json, tmp_path: Path) -> None:
    assert is_read(document) or has_error(document, tmp_path), section.code


@given(path=st.lists(st.integers(0, 9), min_size=1, max_size=6), junk=JUNK)
def test_junk_anywhere(
    path: list[int], junk: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    document: Json = read_base()["index"]
    place = document
    for step in path[:-1]:
        inner = place[sorted(place)[step % len(place)]]
        if not isinstance(inner, dict) or not inner:
            break
        place = inner
    place[sorted(place)[path[-1] % len(place)]] = junk

    assert is_read(document) or has_error(document, tmp_path_factory.mktemp("junk"))
