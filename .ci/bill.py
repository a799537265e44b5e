"""Bills of materials (CycloneDX 1.6) of what is released: every file, and what is not ours."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Final

ROOT: Final = Path(__file__).resolve().parent.parent
# So that any interpreter can build, with nothing installed.
sys.path.insert(0, str(ROOT))

from nvidia_variant_provider import __version__  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PACKAGE: Final = "nvidia_variant_provider"
VERSION: Final = __version__
PURL: Final = f"pkg:pypi/nvidia-variant-provider@{VERSION}"
_PCI: Final = ROOT / ".ci" / "tables" / "nvidia_pci.json"
_NAMESPACE: Final = uuid.UUID("9f7f7f2e-5b0c-5f0e-8c9e-6a1d2c3b4e5f")


def bill_of_materials(
    description: str,
    digest: str,
    members: Mapping[str, bytes],
    *,
    tool: str = "",
    optional: Iterable[str] = (),
) -> str:
    """Return the document for one released file with this SHA-256 and these members.

    ``tool`` is the build backend and its version ("hatchling 1.33.0"); ``optional`` are the
    requirements of extras ("packaging>=24.0"), which no install needs. The same input gives the
    same bytes: there is no time in it, and its serial number comes from the hash.
    """
    name, _, version = tool.partition(" ")
    tools = {"tools": {"components": [{"type": "application", "name": name, "version": version}]}}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, digest)}",
        "version": 1,
        "metadata": {**(tools if tool else {}), "component": _package(description, digest)},
        "components": [
            _pci_ids(),
            *(_requirement(text) for text in optional),
            *(_file(member, content) for member, content in members.items()),
        ],
        # What comes along in any case; the requirements of extras are optional components.
        "dependencies": [{"ref": PURL, "dependsOn": ["data:pci.ids"]}],
    }
    return json.dumps(document, indent=1) + "\n"


def _package(description: str, digest: str) -> dict[str, object]:
    return {
        "type": "library",
        "bom-ref": PURL,
        "name": "nvidia-variant-provider",
        "version": VERSION,
        "description": description,
        "purl": PURL,
        "licenses": [{"expression": "Apache-2.0 AND BSD-3-Clause"}],
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


def _file(member: str, content: bytes) -> dict[str, object]:
    return {
        "type": "file",
        "bom-ref": f"file:{member}",
        "name": member,
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}],
    }


def _requirement(text: str) -> dict[str, object]:
    """Return the component for a requirement of an extra, as the metadata of the wheel words it."""
    name = re.split(r"[^\w.-]", text, maxsplit=1)[0]
    return {
        "type": "library",
        "bom-ref": f"requirement:{text}",
        "name": name,
        "scope": "optional",
        "purl": f"pkg:pypi/{name.lower()}",
        "properties": [{"name": "python:requirement", "value": text}],
    }


def _pci_ids() -> dict[str, object]:
    """Return the component for the table of device ids, the one part that is not ours."""
    source = json.loads(_PCI.read_text("utf-8"))["source"]
    return {
        "type": "data",
        "bom-ref": "data:pci.ids",
        "name": "pci.ids",
        "description": f"device ids in {PACKAGE}/tables/pci_ids.py, from {source}",
        "licenses": [{"license": {"id": "BSD-3-Clause"}}],
    }
