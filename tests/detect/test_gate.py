"""The gate: any sign of NVIDIA, on each system, for a few look-ups."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.detect import gate
from nvidia_variant_provider.detect.files import Files
from nvidia_variant_provider.detect.host import RealHost
from tests.disguise import as_part_of

if TYPE_CHECKING:
    from pathlib import Path

PLUGGED = (
    "VEN_8086&DEV_1234&SUBSYS_00000000&REV_00",
    "VEN_10DE&DEV_2684&SUBSYS_40BF1458&REV_A1",
    "ven_10de&dev_22ba&subsys_40bf1458&rev_a1",
)


def plug_in(patch: pytest.MonkeyPatch, names: tuple[str, ...]) -> None:
    """Be a Windows with these devices; what is opened beyond the list does not exist."""

    def name_of(_: object, index: int) -> str:
        try:
            return names[index]
        except IndexError as error:
            raise FileNotFoundError(2, "no more keys") from error

    registry = SimpleNamespace(
        HKEY_LOCAL_MACHINE=0,
        OpenKey=lambda _, name: nullcontext(name),
        QueryInfoKey=lambda _: (len(names) + 1, 0, 0),
        EnumKey=as_part_of("winreg", name_of),
    )
    patch.setitem(sys.modules, "winreg", registry)


def test_windows_lists_the_device_ids_of_the_vendor(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, PLUGGED)

    assert gate.windows_pci_ids() == (0x2684, 0x22BA)
    assert RealHost().windows_pci_ids() == (0x2684, 0x22BA)


def test_a_damaged_device_name_ends_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, (PLUGGED[1], "VEN_10DE&DEV_none", PLUGGED[2]))

    assert gate.windows_pci_ids() == (0x2684,)


def test_all_keys_of_the_registry_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, PLUGGED)
    monkeypatch.setattr(sys.modules["winreg"], "QueryInfoKey", lambda _: (len(PLUGGED), 0, 0))

    assert gate.windows_pci_ids() == (0x2684, 0x22BA)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has a registry")
def test_there_is_no_registry_elsewhere() -> None:
    assert gate.windows_pci_ids() == ()


@pytest.mark.parametrize(
    ("system", "names", "sign"),
    [
        ("win32", PLUGGED, True),
        ("win32", PLUGGED[:1], False),
        ("darwin", PLUGGED, False),
        ("freebsd14", PLUGGED, False),
    ],
)
def test_a_sign_is_looked_for_on_systems_with_cuda(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    system: str,
    names: tuple[str, ...],
    sign: bool,  # noqa: FBT001 - a case of the table
) -> None:
    plug_in(monkeypatch, names)

    assert gate.has_sign(Files(str(tmp_path)), system) is sign


def test_no_file_is_no_word(tmp_path: Path) -> None:
    files = Files(str(tmp_path))
    (tmp_path / "word").write_text("0x10de\nmore\n", encoding="ascii")

    assert gate.read_word(files, "/word") == "0x10de"
    assert not gate.read_word(files, "/missing")
