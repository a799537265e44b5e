"""Every error this package raises on purpose."""

from __future__ import annotations

# A variable may hold megabytes; an error message may not.
_SHOWN = 60
_PLACE = 120


class ProviderError(Exception):
    """Base of all errors that this package raises on purpose."""


class InvalidValueError(ProviderError, ValueError):
    """A text is not of the form it should have; the message shows both.

    Where they are known, ``subject`` names what was read (a variable, an option, a key), ``seen``
    is the text and ``expected`` the form: nobody needs to take the message apart. ``hint`` is what
    would help, such as a command to paste.
    """

    def __init__(
        self,
        message: str,
        *,
        subject: str = "",
        seen: str = "",
        expected: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.subject = subject
        self.seen = seen
        self.expected = expected

    @classmethod
    def not_a(cls, expected: str, seen: str) -> InvalidValueError:
        """Return the error for a text that is no ``expected``, for example a CUDA version."""
        shown = repr(seen[:_SHOWN])
        return InvalidValueError(f"not {expected}: {shown}", seen=shown, expected=expected)


class MalformedReplyError(ProviderError):
    """A file or a program of the driver answered with something unreadable."""


class WantError(ProviderError, OSError):
    """This process has too little of something to ask the driver: descriptors, processes, memory.

    Not a condition of the machine, so that an empty answer, which means the CPU build, would be
    wrong. ``errno`` tells which; the text says what to do. Asked again later, it may succeed.
    """


class OverrideError(InvalidValueError):
    """An environment variable of ours holds a value that cannot be used.

    ``str()`` is one line, for example ``NV_VARIANT_PROVIDER_FORCE_SM_ARCH='90': expected a
    compute capability such as '9.0'``. Installers show it to the user: a silent fallback would
    install a CPU build on a machine with a GPU.
    """

    def __init__(self, variable: str, text: str, expected: str) -> None:
        self.variable = variable
        self.text = text
        shown = repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
        message = f"{variable}={shown}: expected {expected}"
        super().__init__(message, subject=variable, seen=shown, expected=expected)


class MetadataError(InvalidValueError):
    """Variant metadata is not what it should be.

    ``str()`` is one line, for example ``variant.json: variants/cuda13.0/nvidia: seen [1], expected
    a dictionary``. ``key`` is the path in the document, its steps parted by slashes.
    """

    def __init__(self, source: str, key: str, seen: str, expected: str) -> None:
        self.source = source
        self.key = key
        shown = seen if len(seen) <= _SHOWN else f"{seen[:_SHOWN]}..."
        where = f"{source}: {key}" if key else source
        message = f"{where}: seen {shown}, expected {expected}"
        super().__init__(message, subject=where, seen=shown, expected=expected)


class DamagedFileError(InvalidValueError):
    """A file is cut short, contradicts itself or is not of the format it claims.

    ``str()`` names the file, what was seen and what was expected.
    """


class FleetError(InvalidValueError):
    """A list of machines holds something that cannot be read.

    ``str()`` is one line, for example ``nodes.json: items[3]: nvidia.com/gpu.compute.major: 'x';
    expected a number``. ``where`` is the entry in its file, ``key`` the key or column.
    """

    def __init__(
        self, source: str, where: str, key: str, seen: str, expected: str, hint: str = ""
    ) -> None:
        self.source = source
        self.where = where
        self.key = key
        shown = seen if len(seen) <= _SHOWN else f"{seen[:_SHOWN]}..."
        # A key of somebody else's document may be as long as the document.
        parts = (source, where[:_PLACE], key[:_PLACE])
        place = ": ".join(part for part in parts if part)
        message = f"{place}: {shown}; expected {expected}"
        super().__init__(message, subject=place, seen=shown, expected=expected, hint=hint)
