"""No tool promises what another tool or uv refuses: forty wheels and folders, odd in one way each.

What one tool takes for a build that installs, each of the others does, and the real uv installs it.
The other way round is no promise: uv installs some wheels that our tools refuse. Only verify and
tag read the contents of members; the last test says so.
"""

from __future__ import annotations

import contextlib
import io
import json
import struct
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.metadata.document import SCHEMA_850
from nvidia_variant_provider.tools.tagging.variant import NVIDIA_ENTRY
from nvidia_variant_provider.tools.wheels import zip_records as zr
from tests.tools.lint.uv import uv_install
from tests.wheel_maker import METADATA, WHEEL, cuda_library, pack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.clients

HOPPER = {
    "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "13.0",
    "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0",
}
TARGET = "h100@580"
LABEL = "cuda12"
GPU = {"nvidia": {"sm_arch": ["90_real"], "cuda_version_lower_bound": ["12.0"]}}
INFO = "demo-1.0.dist-info"
RELEASE = "demo-1.0-variants.json"
LIBRARY = cuda_library("90")

Json = dict[str, Any]
Files = dict[str, bytes]


def metadata(variants: Json) -> Json:
    return {
        "$schema": SCHEMA_850,
        "default-priorities": {"namespace": ["nvidia"]},
        "providers": {"nvidia": NVIDIA_ENTRY},
        "variants": variants,
    }


def members(label: str) -> Files:
    """The files of a wheel that is right, but for RECORD."""
    files = {
        "demo/__init__.py": f"build = {label!r}\n".encode(),
        "demo/_ext.so": LIBRARY if label != "null" else b"",
        f"{INFO}/METADATA": METADATA,
        f"{INFO}/WHEEL": WHEEL,
    }
    if label:
        stated = {label: GPU if label == LABEL else {}}
        files[f"{INFO}/variant.json"] = json.dumps(metadata(stated)).encode()
    return files


def with_record(files: Files, path: str = f"{INFO}/RECORD") -> Files:
    """Add a RECORD, which states no hashes: they are optional."""
    rows = "".join(f'"{name}",,\n' for name in (*files, path) if not name.endswith("/"))
    return files | {path: rows.encode()}


@dataclass(frozen=True)
class Case:
    """What is odd: the files of the GPU wheel, the bytes of its archive, or the folder."""

    files: Callable[[Files], Files] = field(default=lambda files: with_record(files))  # noqa: PLW0108
    archive: Callable[[bytes], bytes] = field(default=lambda data: data)
    folder: Callable[[Path], None] = field(default=lambda _folder: None)
    only: frozenset[str] = frozenset({"lint", "verify", "explain", "coverage", "index", "tag"})
    is_fine: bool = False


OF_VARIANTS = frozenset({"lint", "verify", "explain", "coverage", "index"})
# index writes the metadata file anew, and verify and tag look at wheels alone.
OF_FOLDERS = frozenset({"lint", "explain", "coverage"})


def changed(**odd: bytes) -> Callable[[Files], Files]:
    """Replace files of ``.dist-info``; RECORD lists them."""
    return lambda files: with_record(files | {f"{INFO}/{name}": data for name, data in odd.items()})


def renamed(folder: str) -> Callable[[Files], Files]:
    def rename(files: Files) -> Files:
        moved = {name.replace(INFO, folder): data for name, data in files.items()}
        return with_record(moved, f"{folder}/RECORD")

    return rename


def more(name: str, data: bytes = b"") -> Callable[[Files], Files]:
    return lambda files: with_record(files | {name: data})


def without(name: str) -> Callable[[Files], Files]:
    return lambda files: with_record({key: files[key] for key in files if key != f"{INFO}/{name}"})


def record(rows: Callable[[bytes], bytes]) -> Callable[[Files], Files]:
    def change(files: Files) -> Files:
        whole = with_record(files)
        return whole | {f"{INFO}/RECORD": rows(whole[f"{INFO}/RECORD"])}

    return change


def stated(document: Json) -> Callable[[Files], Files]:
    def state(files: Files) -> Files:
        is_variant = f"{INFO}/variant.json" in files
        odd = {f"{INFO}/variant.json": json.dumps(document).encode()} if is_variant else {}
        return with_record(files | odd)

    return state


def two_names(data: bytes) -> bytes:
    """Give a member the name of another one."""
    return data.replace(b"demo/__inix__.py", b"demo/__init__.py")


def central(offset: int, form: str, value: int) -> Callable[[bytes], bytes]:
    """Change a field of the first member's record in the directory."""

    def change(data: bytes) -> bytes:
        at = data.index(zr.CENTRAL_MAGIC) + offset
        return data[:at] + struct.pack(form, value) + data[at + struct.calcsize(form) :]

    return change


def with_comment(data: bytes) -> bytes:
    return data[:-2] + b"\x02\x00hi"


def local_name(data: bytes) -> bytes:
    return data.replace(b"demo/__init__.py", b"demo/__inix__.py", 1)


def hidden(data: bytes) -> bytes:
    """Leave a member out of the directory."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo("demo/hidden.py")
        start = archive.start_dir
    at = data.index(b"demo/hidden.py", start) - zr.CENTRAL.size
    name_size, extra_size, comment_size = struct.unpack_from("<HHH", data, at + 28)
    length = zr.CENTRAL.size + name_size + extra_size + comment_size
    assert info.file_size
    *_, count, size, begin, _ = zr.END.unpack(data[-zr.END.size :])
    end = zr.pack_end(begin, size - length, count - 1)
    return data[:at] + data[at + length : -zr.END.size] + end


def write_json(name: str, text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / RELEASE).unlink()
        if name:
            (folder / name).write_text(text)

    return write


def link(folder: Path) -> None:
    (folder / "demo-1.0-py3-none-any-cuda12.whl").unlink()
    (folder / "demo-1.0-py3-none-any-cuda12.whl").symlink_to("nowhere")


WHOLE = json.dumps(metadata({LABEL: GPU, "null": {}}))
OTHER_METADATA = METADATA.replace(b"Name: demo", b"Name: other")
CASES = {
    "nothing": Case(is_fine=True),
    "another spelling of dist-info": Case(renamed("Demo-1.0.0.dist-info"), is_fine=True),
    "two dist-infos": Case(more("other-1.0.dist-info/METADATA", OTHER_METADATA)),
    "two dist-infos, one nearly empty": Case(more("other-1.0.dist-info/LICENSE", b"text")),
    "dist-info of another project": Case(renamed("other-1.0.dist-info")),
    "dist-info of another version": Case(renamed("demo-2.0.dist-info")),
    "no dist-info": Case(renamed("demo-1.0.egg-info")),
    "METADATA of another project": Case(changed(METADATA=OTHER_METADATA)),
    "METADATA of another version": Case(changed(METADATA=METADATA.replace(b"1.0", b"2.0"))),
    "METADATA without a version": Case(changed(METADATA=b"Metadata-Version: 2.1\nName: demo\n")),
    "no METADATA": Case(without("METADATA")),
    "no WHEEL": Case(without("WHEEL")),
    "no RECORD": Case(lambda files: files),
    "a WHEEL of the future": Case(changed(WHEEL=WHEEL.replace(b"1.0", b"2.0"))),
    "an empty archive": Case(archive=lambda _: pack({})),
    "no archive": Case(archive=lambda _: b"a text"),
    "an empty file": Case(archive=lambda _: b""),
    "cut short": Case(archive=lambda data: data[:-50]),
    "bytes in front": Case(archive=lambda data: b"#!/bin/sh\n" + data),
    "bytes behind": Case(archive=lambda data: data + b"\0"),
    "a comment": Case(archive=with_comment),
    "two members of one name": Case(more("demo/__inix__.py", b"x"), two_names),
    "a member that is not listed": Case(more("demo/hidden.py", b"x"), hidden),
    "a local header of another name": Case(archive=local_name),
    "another checksum in the directory": Case(archive=central(16, "<I", 1)),
    "an encrypted member": Case(archive=central(8, "<H", 1)),
    "a member in LZMA": Case(archive=central(10, "<H", 14)),
    "an absolute path": Case(more("/tmp/demo.py", b"x")),  # noqa: S108 - never written
    "a path that leaves": Case(more("demo/../../demo.py", b"x")),
    "a path with a backslash": Case(more("demo\\x.py", b"x")),
    "RECORD lists too much": Case(record(lambda rows: rows + b"gone.py,,\n")),
    "RECORD lists too little": Case(record(lambda _: b"demo/__init__.py,,\n")),
    "RECORD is no CSV": Case(record(lambda _: b'"\n')),
    "no variant.json": Case(
        lambda files: with_record({key: files[key] for key in files if "variant" not in key}),
        only=OF_VARIANTS,
    ),
    "variant.json of another label": Case(stated(metadata({"x": GPU})), only=OF_VARIANTS),
    "variant.json of two labels": Case(stated(metadata({LABEL: GPU, "x": {}})), only=OF_VARIANTS),
    "variant.json of another provider": Case(
        stated(metadata({LABEL: GPU}) | {"providers": {"nvidia": {"requires": ["other"]}}}),
        only=OF_VARIANTS - {"verify"},
    ),
    "variant.json is a list": Case(stated([]), only=OF_VARIANTS),  # type: ignore[arg-type]
    "the metadata has a hyphen too many": Case(
        folder=write_json("de-mo-1.0-variants.json", WHOLE), only=OF_FOLDERS
    ),
    "no metadata file": Case(folder=write_json("", ""), only=OF_FOLDERS),
    "metadata of another version": Case(
        folder=write_json("demo-1.1-variants.json", WHOLE), only=OF_FOLDERS
    ),
    "metadata without the label": Case(
        folder=write_json(RELEASE, json.dumps(metadata({"null": {}}))), only=OF_FOLDERS
    ),
    "metadata that is no JSON": Case(folder=write_json(RELEASE, "{"), only=OF_FOLDERS),
    "a link to nothing": Case(folder=link, only=OF_VARIANTS),
}


def write(folder: Path, case: Case) -> Path:
    """Write a release of an odd GPU wheel, a null variant and its metadata."""
    folder.mkdir()
    odd = case.archive(pack(case.files(members(LABEL)), zipfile.ZIP_STORED))
    (folder / f"demo-1.0-py3-none-any-{LABEL}.whl").write_bytes(odd)
    (folder / "demo-1.0-py3-none-any-null.whl").write_bytes(pack(with_record(members("null"))))
    (folder / RELEASE).write_text(WHOLE)
    case.folder(folder)
    return folder


def run(*words: str) -> tuple[int, str]:
    """Run a command; return its exit code and what it printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        code = main(words)
    return code, printed.getvalue()


def promises(folder: Path, case: Case) -> set[str]:
    """Return the tools that take the GPU wheel for one that uv installs on an H100."""
    wheel = str(folder / f"demo-1.0-py3-none-any-{LABEL}.whl")
    plain = folder.parent / "plain" / "demo-1.0-py3-none-any.whl"
    plain.parent.mkdir()
    plain.write_bytes(case.archive(pack(case.files(members("")), zipfile.ZIP_STORED)))
    held = set()
    code, printed = run("lint", "--json", str(folder))
    if code != 2 and not any(it["severity"] == "error" for it in json.loads(printed)["findings"]):
        held.add("lint")
    if run("verify", wheel)[0] == 0:
        held.add("verify")
    code, printed = run("explain", str(folder), "--target", TARGET, "--json")
    if code == 0 and _winner(printed, "uv") == LABEL:
        held.add("explain")
    code, printed = run("coverage", str(folder), "--target", TARGET, "--json", "--rules", "0")
    if code == 0 and _chosen(printed) == [LABEL]:
        held.add("coverage")
    if run("tag", str(plain), "-o", str(plain.parent), "--label", LABEL)[0] == 0:
        held.add("tag")
    # Last: it writes into the folder.
    if run("index", str(folder))[0] == 0:
        held.add("index")
    return held & case.only


def _winner(printed: str, installer: str) -> str | None:
    (machine,) = json.loads(printed)["machines"]
    found: dict[str, str | None] = {it["installer"]: it["winner"] for it in machine["installers"]}
    return found[installer]


def _chosen(printed: str) -> list[str]:
    return [row["label"] for row in json.loads(printed)["rows"]]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_no_tool_promises_what_another_or_uv_refuses(case: Case, tmp_path: Path) -> None:
    folder = write(tmp_path / "dist", case)
    done = uv_install(HOPPER, "--find-links", str(folder), "--no-index", "demo")
    held = promises(folder, case)

    assert held == (case.only if case.is_fine else set())
    assert not held or done.label == LABEL


def flip(data: bytes) -> bytes:
    """Damage the device code: one bit near its end."""
    at = data.index(LIBRARY) + len(LIBRARY) - 40
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_damaged_contents_are_met_by_uv_and_by_the_tools_that_read_contents(tmp_path: Path) -> None:
    case = Case(archive=flip)
    folder = write(tmp_path / "dist", case)
    done = uv_install(HOPPER, "--find-links", str(folder), "--no-index", "demo")

    assert (done.label, "Bad CRC" in done.stderr) == (None, True)
    assert promises(folder, case) == OF_VARIANTS - {"verify"}
