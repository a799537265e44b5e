"""Archives and compressed files by their first bytes: what lies in them is packed and not seen.

Sources: RFC 1952 (gzip), the format notes of xz, bzip2, Zstandard (RFC 8878), 7-Zip, LZ4 frames and
APPNOTE.TXT (zip).
"""

from __future__ import annotations

from typing import Final

_MAGICS: Final = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"\x04\x22\x4d\x18", "LZ4"),
)
_ZIP: Final = b"PK\x03\x04"
_STORED: Final = b"\0\0"


def archive_of(head: bytes) -> str:
    """Return the name of the packing that a file starts with, such as ``"gzip"``, or ``""``.

    A zip archive whose first member is stored as it is, as NumPy writes ``.npz``, is no obstacle:
    device code in it is found like in any other file.
    """
    if head.startswith(_ZIP):
        return "" if head[8:10] == _STORED else "zip"
    return next((name for magic, name in _MAGICS if head.startswith(magic)), "")
