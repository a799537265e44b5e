"""Releases on disk: wheels of a few hundred bytes and their metadata, right or wrong on purpose."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import tomlkit

from nvidia_variant_provider.tools.wheels.name import WheelName

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "lint.md"

Json = dict[str, Any]


class Section(NamedTuple):
    """One code's section of docs/lint.md."""

    code: str
    title: str
    text: str
    example: Json


def read_base() -> Json:
    """Return the release that every example of docs/lint.md changes."""
    found = re.search(
        r"^```json base\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found is not None
    base: Json = json.loads(found[1])
    return base


def read_sections() -> list[Section]:
    """Return the sections of docs/lint.md, in their order."""
    parts = re.split(r"^### ", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    sections = []
    for part in parts:
        head, _, text = part.partition("\n")
        code, _, title = head.partition(": ")
        block = re.search(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        assert block is not None, code
        sections.append(Section(code, title, text, json.loads(block[1])))
    return sections


def merge_patch(target: Any, patch: Any) -> Any:  # noqa: ANN401 - any JSON, RFC 7396
    """Apply a JSON merge patch and return the result."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def write_release(folder: Path, described: Json) -> Path:
    """Write a release as docs/lint.md describes one: ``index``, ``wheels``, ``pyproject``."""
    folder.mkdir(parents=True, exist_ok=True)
    index = described.get("index")
    if isinstance(index, dict):
        # "labels": so many more of them than an example could spell out.
        more = {f"more{number}": {"nvidia": {"sm_arch": ["90_real"]}}
                for number in range(described.get("labels", 0))}  # fmt: skip
        index = {**index, "variants": {**index["variants"], **more}} if more else index
    if index is not None:
        text = index if isinstance(index, str) else json.dumps(index, indent=2)
        (folder / described["index-name"]).write_text(text, "utf-8")
    if "pyproject" in described:
        (folder / "pyproject.toml").write_text(tomlkit.dumps(described["pyproject"]), "utf-8")
    if "pylock" in described:
        lock = described["pylock"]
        text = lock if isinstance(lock, str) else tomlkit.dumps(lock)
        (folder / "pylock.toml").write_text(text, "utf-8")
    for name, wheel in described["wheels"].items():
        if isinstance(wheel, str):
            (folder / name).write_text(wheel)
            continue
        label = WheelName.parse(name).label
        variant = carried(index, label) if label else None
        if "variant" in wheel:
            patch = wheel["variant"]
            variant = None if patch is None else merge_patch(variant or base_of(index), patch)
        fields = "".join(f"{key}: {text}\n" for key, text in wheel.get("fields", {}).items())
        path = write_wheel(folder / name, variant, wheel.get("requires-dist", ()), fields)
        if megabytes := wheel.get("megabytes"):
            pad(path, megabytes * 1024 * 1024)
    return folder


def pad(path: Path, size: int) -> None:
    """Make a file as large as that, without writing so much."""
    with path.open("r+b") as file:
        file.truncate(size)


def base_of(index: object) -> Json:
    """Return a release's metadata as an object; that of the page's own release for others."""
    return index if isinstance(index, dict) else dict(read_base()["index"])


def carried(index: object, label: str) -> Json:
    """Return what a wheel carries: the release's metadata with its own label only."""
    document = base_of(index)
    variants = document.get("variants")
    own = variants.get(label, {}) if isinstance(variants, dict) else {}
    return {**document, "variants": {label: own}}


def write_wheel(
    path: Path,
    variant: Json | None,
    requires: Any = (),  # noqa: ANN401 - any JSON
    fields: str = "",
) -> Path:
    """Write a wheel that installers accept, with ``variant.json`` if one is given.

    ``fields`` are more lines of METADATA.
    """
    name = WheelName.parse(path.name)
    dist_info = f"{name.name}-{name.version}.dist-info"
    required = "".join(f"Requires-Dist: {it}\n" for it in requires)
    files = {
        f"{name.name}/__init__.py": f"build = {name.label!r}\n",
        f"{dist_info}/METADATA": (
            f"Metadata-Version: 2.1\nName: {name.name}\nVersion: {name.version}\n{fields}{required}"
        ),
        f"{dist_info}/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: stand-in\nRoot-Is-Purelib: true\n"
            f"Tag: {name.python}-{name.abi}-{name.platform}\n"
        ),
    }
    if variant is not None:
        files[f"{dist_info}/variant.json"] = json.dumps(variant, indent=2)
    rows = "".join(f"{it},{digest(text)},{len(text.encode())}\n" for it, text in files.items())
    files[f"{dist_info}/RECORD"] = f"{rows}{dist_info}/RECORD,,\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in files.items():
            archive.writestr(zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0)), text)
    return path


def digest(text: str) -> str:
    """Return the hash of a member as RECORD spells it."""
    raw = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return "sha256=" + raw.rstrip(b"=").decode()
