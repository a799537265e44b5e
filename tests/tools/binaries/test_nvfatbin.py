"""Containers that NVIDIA's fatbin library packs out of our own bytes."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tools.binaries.library import read_library
from nvidia_variant_provider.tools.binaries.report import Kind
from nvidia_variant_provider.tools.wheels.source import BytesSource
from tests.tools.binaries import downloads, packing

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.wheels


class Packer:
    """The few functions of ``nvFatbin`` needed here."""

    def __init__(self, options: Sequence[str]) -> None:
        self._library = ctypes.CDLL(str(downloads.tools() / "lib" / "libnvfatbin.so.13"))
        self._handle = ctypes.c_void_p()
        texts = (ctypes.c_char_p * len(options))(*(text.encode() for text in options))
        count = ctypes.c_size_t(len(options))
        self._call("nvFatbinCreate", ctypes.byref(self._handle), texts, count)

    def _call(self, name: str, *args: object) -> None:
        code = getattr(self._library, name)(*args)
        assert code == 0, f"{name} returned {code}"

    def add_cubin(self, data: bytes, target: str, name: str = "") -> None:
        size = ctypes.c_size_t(len(data))
        texts = (target.encode(), name.encode() or None)
        self._call("nvFatbinAddCubin", self._handle, data, size, *texts)

    def add_ptx(self, data: bytes, target: str) -> None:
        # The text has to end in a NUL, and the length counts it.
        size = ctypes.c_size_t(len(data) + 1)
        texts = (target.encode(), None, None)
        self._call("nvFatbinAddPTX", self._handle, data + b"\0", size, *texts)

    def pack(self) -> bytes:
        size = ctypes.c_size_t()
        self._call("nvFatbinSize", self._handle, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        self._call("nvFatbinGet", self._handle, buffer)
        self._call("nvFatbinDestroy", ctypes.byref(self._handle))
        return buffer.raw


@pytest.mark.parametrize("options", [[], ["-compress=true"], ["-compress=true", "-compress-all"]])
def test_targets_and_suffixes(options: list[str]) -> None:
    packer = Packer(options)
    packer.add_cubin(packing.cubin(80), "80", "some/name.cu")
    packer.add_cubin(packing.cubin(90, specific=True), "90a")
    packer.add_cubin(packing.cubin(100, new=True), "100f")
    packer.add_cubin(packing.cubin(121, new=True, kernel=False), "121")
    packer.add_ptx(packing.ptx(80), "80")
    found = read_library(BytesSource("packed.fatbin", packer.pack()))

    assert found is not None
    assert found.findings == ()
    assert found.containers == 1
    assert [
        (one.image.kind, one.image.number, one.image.suffix, one.image.has_kernels)
        for one in found.images
    ] == [
        (Kind.CUBIN, 80, "", True),
        (Kind.CUBIN, 90, "a", True),
        (Kind.CUBIN, 100, "f", True),
        (Kind.CUBIN, 121, "", False),
        (Kind.PTX, 80, "", True),
    ]
    assert {one.image.isa for one in found.images if one.image.kind is Kind.PTX} == {(8, 4)}
