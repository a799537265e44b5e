"""Every error this package raises on purpose."""

from __future__ import annotations


class ProviderError(Exception):
    """Base of all errors that this package raises on purpose."""


class InvalidValueError(ProviderError, ValueError):
    """A text is not of the form it should have; the message shows both."""


class MalformedReplyError(ProviderError):
    """A file or a program of the driver answered with something unreadable."""


class OverrideError(InvalidValueError):
    """An environment variable of ours holds a value that cannot be used.

    ``str()`` is one line, for example ``NV_VARIANT_PROVIDER_FORCE_SM_ARCH='90': expected a
    compute capability such as '9.0'``. Installers show it to the user: a silent fallback would
    install a CPU build on a machine with a GPU.
    """

    def __init__(self, variable: str, text: str, expected: str) -> None:
        self.variable = variable
        self.text = text
        self.expected = expected
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        super().__init__(f"{variable}={shown!r}: expected {expected}")


# A variable may hold megabytes; an error message may not.
_SHOWN = 60


class MetadataError(InvalidValueError):
    """Variant metadata is not what it should be.

    ``str()`` is one line, for example ``variant.json: variants/cuda13.0/nvidia: seen [1], expected
    a dictionary``. ``key`` is the path in the document, its steps parted by slashes.
    """

    def __init__(self, source: str, key: str, seen: str, expected: str) -> None:
        self.source = source
        self.key = key
        self.seen = seen if len(seen) <= _SHOWN else f"{seen[:_SHOWN]}..."
        self.expected = expected
        where = f"{source}: {key}" if key else source
        super().__init__(f"{where}: seen {self.seen}, expected {expected}")


class DamagedFileError(InvalidValueError):
    """A file is cut short, contradicts itself or is not of the format it claims.

    ``str()`` names the file, what was seen and what was expected.
    """


class FleetError(InvalidValueError):
    """A list of machines holds something that cannot be read.

    ``str()`` is one line, for example ``nodes.json: items[3]: nvidia.com/gpu.compute.major: seen
    'x', expected a number``. ``where`` is the record in its file, ``key`` the key or column.
    """

    def __init__(self, source: str, where: str, key: str, seen: str, expected: str) -> None:
        self.source = source
        self.where = where
        self.key = key
        self.seen = seen if len(seen) <= _SHOWN else f"{seen[:_SHOWN]}..."
        self.expected = expected
        place = ": ".join(part for part in (source, where, key) if part)
        super().__init__(f"{place}: seen {self.seen}, expected {expected}")
