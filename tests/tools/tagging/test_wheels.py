from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import clean_environment, install_with_uv
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.metadata.readers import PEP
from nvidia_variant_provider.tools.metadata.reading import parse_metadata, parse_wheel_metadata
from nvidia_variant_provider.tools.metadata.strict import At, read_provider
from nvidia_variant_provider.tools.metadata.union import union
from nvidia_variant_provider.tools.metadata.uv import uv_skips
from nvidia_variant_provider.tools.tagging.variant import NVIDIA_ENTRY, build_variant
from nvidia_variant_provider.tools.tagging.wheels import write_plain, write_variant
from tests.tools.lint.releases import write_wheel as write_plain_wheel
from tests.wheel_maker import DIST_INFO, METADATA, WHEEL, make_wheel, pack, record_of

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.tagging.variant import WheelVariant

VARIANT_JSON = f"{DIST_INFO}/variant.json"
HOPPER = {"sm_arch": ("90_real",), "cuda_version_lower_bound": ("12.0",)}


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_release(folder: Path, wheel: Path) -> list[WheelVariant]:
    """Write three variants and the release's metadata into a folder."""
    made = [
        build_variant("cuda12", HOPPER, priority=2),
        build_variant("cuda12.8", HOPPER, priority=1),
        build_variant("null", {}),
    ]
    for metadata in made:
        write_variant(wheel, folder, metadata)
    release = union((it.label, parse_metadata(it.to_json().encode(), it.label)) for it in made)
    (folder / "demo-1.0-variants.json").write_text(release.to_json())
    return made


def test_a_variant_carries_its_label_and_its_metadata(tmp_path: Path) -> None:
    metadata = build_variant("cuda12.8", HOPPER)

    path, remarks = write_variant(make_wheel(tmp_path), tmp_path, metadata)

    assert (path.name, remarks) == ("demo-1.0-py3-none-any-cuda12.8.whl", ())
    read = parse_wheel_metadata(contents(path)[VARIANT_JSON], path.name, "cuda12.8")
    assert read.to_json() == metadata.to_json()
    assert read.variants["cuda12.8"]["nvidia"] == HOPPER


def test_untag_gives_the_same_members_back(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {"demo/lib.so": bytes(range(256)) * 2000})
    (tmp_path / "back").mkdir()

    path, _ = write_variant(wheel, tmp_path, build_variant("cuda12.8", HOPPER))
    back, remarks = write_plain(path, tmp_path / "back")

    assert (back.name, remarks) == (wheel.name, ())
    assert contents(back) == contents(wheel)


def test_uv_uses_the_provider_entry() -> None:
    assert uv_skips(read_provider(NVIDIA_ENTRY, At("", PEP))) is None


def test_signatures_are_dropped_with_a_remark(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {f"{DIST_INFO}/RECORD.jws": b"{}"})

    path, remarks = write_variant(wheel, tmp_path, build_variant("null", {}))

    assert remarks == (f"{DIST_INFO}/RECORD.jws was dropped: it signed the old RECORD",)
    assert f"{DIST_INFO}/RECORD.jws" not in contents(path)


def test_untag_remarks_on_what_stays_doubtful(tmp_path: Path) -> None:
    files = {
        VARIANT_JSON: b"{}",
        f"{DIST_INFO}/METADATA": METADATA + b"Requires-Dist: a; variant_label == 'x'\n",
        f"{DIST_INFO}/WHEEL": WHEEL,
    }
    wheel = tmp_path / "demo-1.0-py3-none-any-x.whl"
    members = {"demo/__init__.py": b""} | files
    wheel.write_bytes(pack(members | {f"{DIST_INFO}/RECORD": record_of(members)}))

    path, remarks = write_plain(wheel, tmp_path)

    assert VARIANT_JSON not in contents(path)
    assert [remark.split(":")[0] for remark in remarks] == [
        "the metadata that was taken out was not valid",
        "METADATA keeps its variant markers, which pip and uv refuse",
    ]


MARKED = b"".join(
    b"Requires-Dist: " + it + b"\n"
    for it in (
        b"six; variant_label == 'cuda12.8' and os_name == 'nt'",
        b"attrs; 'nvidia' not in variant_namespaces",
        b"idna; variant_label == 'cuda12.6'",
    )
)
HEAD = b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n"
BAKED = (
    b"Metadata-Version: 2.4\nDynamic: Requires-Dist\nName: demo\nVersion: 1.0\n"
    b"Requires-Dist: six; os_name == 'nt'\n"
)
STATED_IN = f"{DIST_INFO}/METADATA"


def test_markers_are_answered_for_the_label_that_is_given(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {STATED_IN: HEAD + MARKED})
    (tmp_path / "again").mkdir()
    variant = build_variant("cuda12.8", HOPPER)

    path, remarks = write_variant(wheel, tmp_path, variant, bake_markers=True)
    again, _ = write_variant(wheel, tmp_path / "again", variant, bake_markers=True)

    assert contents(path)[STATED_IN] == BAKED
    assert again.read_bytes() == path.read_bytes()
    assert remarks == (
        (
            "METADATA: six; variant_label == 'cuda12.8' and os_name == 'nt':"
            " became six; os_name == 'nt'"
        ),
        "METADATA: attrs; 'nvidia' not in variant_namespaces: removed",
        "METADATA: idna; variant_label == 'cuda12.6': removed",
    )


@pytest.mark.parametrize(
    ("label", "more"),
    [("cuda12.8", ""), ("other", "; they name cuda12.6, cuda12.8, not other")],
)
def test_markers_that_stay_are_remarked_on(label: str, more: str, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {STATED_IN: HEAD + MARKED})

    path, remarks = write_variant(wheel, tmp_path, build_variant(label, HOPPER))

    assert contents(path)[STATED_IN] == HEAD + MARKED
    assert remarks == (
        (
            "3 requirements of METADATA with a variant marker, which no installer reads: uv refuses"
            f" the release; --bake-markers answers them for {label}{more}"
        ),
    )


def test_a_local_version_is_remarked_on(tmp_path: Path) -> None:
    wheel = write_plain_wheel(tmp_path / "demo-1.0+cu126-py3-none-any.whl", None)

    _, (remark,) = write_variant(wheel, tmp_path, build_variant("cuda12.6", HOPPER))

    assert remark == (
        "the greatest local version wins before any label counts: 1.0+cu126 never competes with"
        " builds of another local version; --strip-local takes it out"
    )


def test_untag_answers_the_markers_for_the_label_it_takes_off(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {STATED_IN: HEAD + MARKED})
    path, _ = write_variant(wheel, tmp_path, build_variant("cuda12.8", HOPPER))
    (tmp_path / "back").mkdir()

    back, remarks = write_plain(path, tmp_path / "back")

    assert (contents(back)[STATED_IN], len(remarks)) == (BAKED, 3)


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    metadata = build_variant("cuda12.8", HOPPER)
    path, _ = write_variant(wheel, tmp_path, metadata)
    before = path.read_bytes()
    path.write_bytes(b"mine")

    with pytest.raises(InvalidValueError, match="is there already; --force replaces it"):
        write_variant(wheel, tmp_path, metadata)

    assert path.read_bytes() == b"mine"
    assert write_variant(wheel, tmp_path, metadata, force=True)[0].read_bytes() == before


def test_misuse_is_explained(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    metadata = build_variant("cuda12.8", HOPPER)
    path, _ = write_variant(wheel, tmp_path, metadata)
    odd = make_wheel(tmp_path, {VARIANT_JSON: b"{}"}, name="demo-1.0-py2-none-any.whl")

    with pytest.raises(InvalidValueError, match=r"is the variant 'cuda12\.8' already"):
        write_variant(path, tmp_path, metadata)
    with pytest.raises(InvalidValueError, match="no variant label to take off"):
        write_plain(wheel, tmp_path)
    with pytest.raises(InvalidValueError, match="is not a folder"):
        write_variant(wheel, wheel, metadata)
    with pytest.raises(InvalidValueError, match="though its name has no label"):
        write_variant(odd, tmp_path, metadata)
    with pytest.raises(InvalidValueError, match="'null' is for the variant without properties"):
        build_variant("null", HOPPER)
    with pytest.raises(InvalidValueError, match="'null' is for the variant without properties"):
        build_variant("cuda12", {})
    with pytest.raises(InvalidValueError, match="a priority is 1 to 9"):
        build_variant("cuda12", HOPPER, priority=10)


@pytest.mark.clients
@pytest.mark.parametrize(
    ("capability", "expected"), [("9.0", "cuda12.8"), ("8.0", "null")], ids=["tie", "other-gpu"]
)
def test_uv_installs_the_variant_that_priority_prefers(
    tmp_path: Path, capability: str, expected: str
) -> None:
    (tmp_path / "out").mkdir()
    write_release(tmp_path / "out", make_wheel(tmp_path, streamed=True))
    settings = {
        "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "12.9",
        "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": capability,
    }

    assert install_with_uv(tmp_path / "out", ["demo==1.0"], settings) == {"demo": expected}


@pytest.mark.clients
def test_variantlib_reads_what_is_written(tmp_path: Path) -> None:
    from variantlib.variants_json import VariantsJson

    (tmp_path / "out").mkdir()
    made = write_release(tmp_path / "out", make_wheel(tmp_path))

    documents = [json.loads(one.to_json()) for one in made]
    documents.append(json.loads((tmp_path / "out" / "demo-1.0-variants.json").read_text()))
    labels = [sorted(VariantsJson(one).variants) for one in documents]
    assert labels == [["cuda12"], ["cuda12.8"], ["null"], ["cuda12", "cuda12.8", "null"]]


@pytest.mark.clients
def test_variantlib_makes_the_same_index(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    write_release(folder, make_wheel(tmp_path))
    ours = parse_metadata((folder / "demo-1.0-variants.json").read_bytes(), "ours")
    (folder / "demo-1.0-variants.json").unlink()

    command = [
        str(Path(sys.executable).parent / "variantlib"),
        "generate-index-json",
        "-d",
        str(folder),
    ]
    subprocess.run(
        command, env=clean_environment(), cwd=tmp_path, check=True, capture_output=True, timeout=120
    )

    theirs = parse_metadata((folder / "demo-1.0-variants.json").read_bytes(), "theirs")
    assert theirs.variants == ours.variants
    assert theirs.providers == ours.providers


@pytest.mark.clients
def test_pip_and_check_wheel_contents_accept_the_archive(tmp_path: Path) -> None:
    """Under the plain name, since neither knows variant labels."""
    path, _ = write_variant(
        make_wheel(tmp_path, {"demo/lib.so": b"x" * 300_000}, streamed=True, zip64=True),
        tmp_path,
        build_variant("cuda12.8", HOPPER),
    )
    plain = tmp_path / "plain" / "demo-1.0-py3-none-any.whl"
    plain.parent.mkdir()
    plain.write_bytes(path.read_bytes())

    for module, *arguments in (
        ("pip", "install", "--no-index", "--target", str(tmp_path / "to"), str(plain)),
        ("check_wheel_contents", "--no-config", str(plain)),
    ):
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stdout if done.returncode else "") == (0, "")
    installed = tmp_path / "to" / VARIANT_JSON
    assert installed.read_bytes() == contents(path)[VARIANT_JSON]
