"""The fields Variant-* of METADATA: what variantlib 0.0.1 wrote becomes variant.json."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.convert.fields import split_fields
from tests.contract.variantlib_runs import variantlib
from tests.wheel_maker import DIST_INFO, METADATA, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

FIELDS = b"""\
Variant-property: nvidia :: cuda_version_lower_bound :: 12.0
Variant-property: nvidia :: sm_arch :: 90_real
Variant-hash: 0a1b2c3d
Variant-requires: nvidia: nvidia-variant-provider>=0.0.1,
 <1.0.0
Variant-enable-if: nvidia: sys_platform == 'linux'
Variant-plugin-api: nvidia: nvidia_variant_provider.plugin:NvidiaVariantPlugin
Variant-default-namespace-priorities: nvidia
Variant-default-feature-priorities:
"""
NAME = "demo-1.0-py3-none-any-0a1b2c3d.whl"
VARIANT = {"nvidia": {"cuda_version_lower_bound": ["12.0"], "sm_arch": ["90_real"]}}
BODY = b"\nA demo.\n\nVariant-property: not a field, but a line of the description\n"


def wheel(folder: Path, fields: bytes = FIELDS, name: str = NAME) -> Path:
    return make_wheel(folder, {f"{DIST_INFO}/METADATA": METADATA + fields + BODY}, name=name)


def read(path: Path, member: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return archive.read(f"{DIST_INFO}/{member}")


def convert(path: Path) -> int:
    return main(["convert", "--to", "850", "--write", str(path)])


def test_fields_become_variant_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = wheel(tmp_path)

    codes = [convert(path), convert(path)]

    said = capsys.readouterr().out
    assert codes == [0, 0]
    assert "METADATA: removed 8 fields Variant-*: installers read variant.json alone" in said
    assert said.endswith(f"{path}!{DIST_INFO}/variant.json: is current\n")
    assert read(path, "METADATA") == METADATA + BODY
    document = json.loads(read(path, "variant.json"))
    assert document["variants"] == {"0a1b2c3d": VARIANT}
    assert document["providers"]["nvidia"]["requires"] == ["nvidia-variant-provider>=0.0.1, <1.0.0"]
    assert main(["lint", str(path), "--ignore", "NV5"]) == 0


def test_a_hash_without_properties_is_the_null_variant(tmp_path: Path) -> None:
    fields = b"\n".join(line for line in FIELDS.splitlines() if b"-property" not in line) + b"\n"
    path = wheel(
        tmp_path, fields.replace(b"0a1b2c3d", b"00000000"), NAME.replace("0a1b2c3d", "0" * 8)
    )

    assert convert(path) == 0

    (renamed,) = tmp_path.iterdir()
    assert renamed.name == NAME.replace("0a1b2c3d", "null")
    assert json.loads(read(renamed, "variant.json"))["variants"] == {"null": {}}


def test_stale_fields_beside_variant_json_are_removed(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    assert convert(path) == 0
    current = read(path, "variant.json")
    both = make_wheel(
        tmp_path,
        {f"{DIST_INFO}/METADATA": METADATA + FIELDS + BODY, f"{DIST_INFO}/variant.json": current},
        name=NAME,
    )

    assert convert(both) == 0
    assert (read(both, "METADATA"), read(both, "variant.json")) == (METADATA + BODY, current)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"hash: 0a1b2c3d", b"hash: 0a1b2c3e", "variant-hash: seen 0a1b2c3e, expected 0a1b2c3d"),
        (b":: 90_real", b"90_real", "expected namespace :: feature :: value"),
        (b"requires: nvidia:", b"requires: nvidia", "a namespace, a colon and the value"),
        (b"Variant-enable-if", b"Variant-what", "a field that variantlib 0.0.1 wrote"),
        (b"sys_platform == 'linux'", b"python_version > '3.9'", "providers/nvidia/enable-if"),
        (b"feature-priorities:", b"feature-priorities: nvidia :: sm_arch", "feature/nvidia"),
    ],
)
def test_what_is_wrong_or_cannot_be_kept_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: bytes, new: bytes, message: str
) -> None:
    assert old in FIELDS
    path = wheel(tmp_path, FIELDS.replace(old, new))
    before = path.read_bytes()

    code = convert(path)

    assert (code, path.read_bytes() == before) == (2, True)
    assert message in capsys.readouterr().err


def test_fields_that_contradict_variant_json_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = wheel(tmp_path)
    assert convert(path) == 0
    stated = read(path, "variant.json").replace(b"90_real", b"80_real")
    members = {
        f"{DIST_INFO}/METADATA": METADATA + FIELDS + BODY,
        f"{DIST_INFO}/variant.json": stated,
    }

    assert convert(make_wheel(tmp_path, members, name=NAME)) == 2
    assert "one of the two is wrong" in capsys.readouterr().err


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_fields_are_taken_from_the_header_alone(newline: bytes) -> None:
    text = (METADATA + FIELDS + BODY).replace(b"\n", newline)

    rest, fields = split_fields(text)

    assert rest == (METADATA + BODY).replace(b"\n", newline)
    assert (len(fields), fields[0][0]) == (8, "variant-property")
    assert split_fields(rest) == (rest, ())


WRITE = """
import email
from variantlib.dist_metadata import DistMetadata
from variantlib.models.metadata import ProviderInfo, VariantMetadata
from variantlib.models.variant import VariantDescription, VariantProperty
metadata = DistMetadata(VariantMetadata())
metadata.variant_desc = VariantDescription([
    VariantProperty("nvidia", "cuda_version_lower_bound", "12.0"),
    VariantProperty("nvidia", "sm_arch", "90_real")])
metadata.namespace_priorities = ["nvidia"]
metadata.providers = {"nvidia": ProviderInfo(
    requires=["nvidia-variant-provider>=0.0.1,<1.0.0"],
    plugin_api="nvidia_variant_provider.plugin:NvidiaVariantPlugin")}
message = email.message_from_string(%r)
metadata.update_message(message)
print(message.as_string(), end="")
"""


@pytest.mark.clients
def test_what_variantlib_001_writes_is_read(tmp_path: Path) -> None:
    done = variantlib("0.0.1.post1", tmp_path).run_code(WRITE % METADATA.decode())
    assert done.returncode == 0, done.stderr
    _, fields = split_fields(done.stdout.encode())
    label = dict(fields)["variant-hash"]
    members = {f"{DIST_INFO}/METADATA": done.stdout.encode()}
    path = make_wheel(tmp_path, members, name=NAME.replace("0a1b2c3d", label))

    assert convert(path) == 0
    assert json.loads(read(path, "variant.json"))["variants"] == {label: VARIANT}
    assert b"Variant-" not in read(path, "METADATA")
