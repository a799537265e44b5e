"""Bounded reading: lines of a byte range, and JSON documents one element at a time."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from nvidia_variant_provider.errors import FleetError

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

MAX_LINE: Final = 1 << 20

# A Kubernetes node lists its images and volumes: tens of kilobytes, seldom hundreds.
MAX_ELEMENT: Final = 8 << 20
_CHUNK: Final = 1 << 18
_BLANKS: Final = " \t\r\n"


def lines(
    stream: BinaryIO, source: str, start: int = 0, stop: int | None = None
) -> Iterator[tuple[str, str]]:
    """Yield ``("line 3", text)`` for the lines that begin in a byte range, without their ends.

    Of a range that starts inside a file the place is the byte, as its line is not known.
    """
    if start:
        stream.seek(start - 1)
        stream.readline()
    position = stream.tell() if start or stop is not None else 0
    number = 0
    while stop is None or position < stop:
        data = stream.readline(MAX_LINE + 1)
        if not data:
            return
        number += 1
        where = f"byte {position}" if start else f"line {number}"
        if len(data) > MAX_LINE:
            raise FleetError(source, where, "", "a longer line", f"at most {MAX_LINE} bytes")
        position += len(data)
        try:
            yield where, data.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise FleetError(source, where, "", repr(data[:40]), "text in UTF-8") from error


class Part(NamedTuple):
    """A value of a JSON document, and where it stands.

    ``key`` is the top-level key, empty for an element of a top-level array or another document.
    ``listed`` is true for an element of an array that is read one by one. ``end`` marks the end of
    a document and holds nothing.
    """

    where: str
    key: str
    value: object
    listed: bool = False
    end: bool = False


def parts(stream: BinaryIO, source: str, listed: Container[str]) -> Iterator[Part]:
    """Yield the values of JSON documents, the elements of arrays under ``listed`` keys one by one.

    Several documents may follow each other, as ``jq -c`` writes them. One element is held at a
    time, so a document may be larger than the memory. Raises ``FleetError`` where it is no JSON.
    """
    text = _Text(stream, source)
    number = 0
    while text.peek():
        prefix = f"document {number + 1}: " if number else ""
        if text.peek() == "[":
            yield from _array(text, "", prefix)
        elif text.peek() == "{":
            yield from _object(text, listed, prefix)
        else:
            text.expect("{", "a JSON object or array")
        yield Part(prefix, "", None, end=True)
        number += 1


def _object(text: _Text, listed: Container[str], prefix: str) -> Iterator[Part]:
    text.expect("{", "a JSON object")
    if text.accept("}"):
        return
    while True:
        name = text.value("the document")
        if not isinstance(name, str):
            raise FleetError(text.source, prefix, "", "another value", "a key in quotes")
        text.expect(":", "':' behind a key")
        if name in listed and text.peek() == "[":
            yield from _array(text, name, prefix)
            # The key itself, so that an empty array is seen as well.
            yield Part(prefix + name, name, [])
        else:
            yield Part(prefix + name, name, text.value(prefix + name))
        if not text.accept(","):
            text.expect("}", "'}' or ','")
            return


def _array(text: _Text, key: str, prefix: str) -> Iterator[Part]:
    text.expect("[", "an array", key)
    index = 0
    if text.accept("]"):
        return
    while True:
        where = f"{prefix}{key}[{index}]"
        yield Part(where, key, text.value(where), listed=True)
        index += 1
        if not text.accept(","):
            text.expect("]", "']' or ','", where)
            return


class _Text:
    """The part of a document that has been read and not yet used."""

    def __init__(self, stream: BinaryIO, source: str) -> None:
        self.source = source
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._decoder = json.JSONDecoder()
        self._buffer = ""
        self._at = 0
        self._ended = False

    def accept(self, mark: str) -> bool:
        """Step over a punctuation mark if it is next."""
        if self.peek() != mark:
            return False
        self._at += 1
        return True

    def expect(self, mark: str, expected: str, where: str = "") -> None:
        """Step over a punctuation mark, which must be next."""
        if not self.accept(mark):
            seen = repr(self.peek()) if self.peek() else "the end of the file"
            raise FleetError(self.source, where, "", seen, expected)

    def value(self, where: str) -> object:
        """Read one whole value, reading on until it is complete."""
        self.peek()
        while True:
            value, end, problem = self._decode_next()
            # A number may go on in what has not been read yet, and a value that is no JSON may be
            # one that is cut off there.
            if not problem and end < len(self._buffer):
                self._at = end
                return value
            size = end - self._at
            if self._more(where):
                continue
            if problem:
                raise FleetError(
                    self.source, where, "", f"damaged JSON ({problem})", "a JSON document"
                )
            self._at += size
            return value

    def peek(self) -> str:
        """Return the next character that is no blank; empty at the end of the file."""
        while True:
            while self._at < len(self._buffer) and self._buffer[self._at] in _BLANKS:
                self._at += 1
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more(""):
                return ""

    def _decode_next(self) -> tuple[object, int, str]:
        try:
            return (*self._decoder.raw_decode(self._buffer, self._at), "")
        except json.JSONDecodeError as error:
            return None, self._at, error.msg
        except ValueError:
            # Python refuses to convert a number of more than 4,300 digits.
            return None, self._at, "a number with thousands of digits"
        except RecursionError:
            return None, self._at, "deep nesting"

    def _more(self, where: str) -> bool:
        if self._ended:
            return False
        self._buffer = self._buffer[self._at :]
        self._at = 0
        if len(self._buffer) > MAX_ELEMENT:
            raise FleetError(
                self.source, where, "", "a larger or damaged value", f"at most {MAX_ELEMENT} bytes"
            )
        # What is left is read again from its start, so read as much again: the work stays linear.
        data = self._stream.read(max(_CHUNK, len(self._buffer)))
        self._ended = not data
        try:
            self._buffer += self._decode.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            raise FleetError(
                self.source, where, "", "other bytes", "a JSON document in UTF-8"
            ) from error
        return not self._ended
