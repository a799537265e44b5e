"""Inventories in the shapes people have, each with a list of what must come out.

The samples are put together from public sources (SOURCES.tsv), all names invented. An empty list
means that the file tells nothing of machines and must be refused.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from backports import zstd

from nvidia_variant_provider.tools.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DATA = Path(__file__).parents[2] / "data" / "inventory"
SCHEMA = json.loads(
    (Path(__file__).parents[3] / "schemas" / "inventory.schema.json").read_text("utf-8")
)
SAMPLES = sorted(DATA.glob("*.expected.json"))
# In these the CPU follows from a chip that shares its package, and the rest is compared as it is.
COMPARED = ("gpus", "driver", "architecture")


def counted(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return equal machines counted together, as the command prints them."""
    found: list[dict[str, Any]] = []
    for row in rows:
        facts = {key: row[key] for key in COMPARED}
        same = [known for known in found if {key: known[key] for key in COMPARED} == facts]
        if same and row["count"] is not None:
            same[0]["count"] += row["count"]
        else:
            found.append(facts | {"count": row["count"]})
    return found


@pytest.mark.parametrize("sidecar", SAMPLES, ids=lambda path: path.name.split("-")[0])
def test_sample_is_understood(sidecar: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = json.loads(sidecar.read_text("utf-8"))
    code = main(["inventory", "--json", str(sidecar).removesuffix(".expected.json")])
    printed = capsys.readouterr()

    assert code == (0 if expected else 2)
    if expected:
        document = json.loads(printed.out)
        jsonschema.validate(document, SCHEMA)
        assert counted(document["machines"]) == counted(expected)
    else:
        assert printed.out == ""


def test_there_are_all_the_samples() -> None:
    assert len(SAMPLES) == 63


@pytest.mark.parametrize("name", ["k33-nodes.yaml", "k10-gfd-gb200.json", "n02-smi-q.txt"])
@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(gzip.compress, id="gzip"),
        pytest.param(zstd.compress, id="zstd"),
        pytest.param(lambda data: b"\xff\xfe" + data.decode().encode("utf-16-le"), id="UTF-16"),
        pytest.param(
            lambda data: gzip.compress(b"\xfe\xff" + data.decode().encode("utf-16-be")),
            id="UTF-16 in gzip",
        ),
        pytest.param(lambda data: b"\xef\xbb\xbf" + data, id="byte order mark"),
    ],
)
def test_packing_and_name_do_not_matter(
    name: str, packed: Callable[[bytes], bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = DATA / name
    wrapped = tmp_path / "anything.bin"
    wrapped.write_bytes(packed(plain.read_bytes()))

    assert main(["inventory", "--json", str(plain)]) == 0
    expected = capsys.readouterr().out
    assert main(["inventory", "--json", str(wrapped)]) == 0

    # A sample without host names is named after its file.
    assert capsys.readouterr().out.replace("anything.bin", name) == expected
