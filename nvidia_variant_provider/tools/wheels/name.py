"""The file name of a wheel, with or without a variant label."""

from __future__ import annotations

import re
from typing import Final

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.value_types import dataclass

_LABEL: Final = re.compile(r"[0-9a-z_.]+")
_EXPECTED: Final = "name-version[-build]-python-abi-platform[-label].whl"
_SUFFIX: Final = ".whl"
_FEWEST: Final = 5


@dataclass(frozen=True, slots=True)
class WheelName:
    """The components of a wheel's file name, as written; ``label`` and ``build`` may be empty."""

    name: str
    version: str
    build: str
    python: str
    abi: str
    platform: str
    label: str

    @classmethod
    def parse(cls, text: str) -> WheelName:
        """Read ``torch-2.14.1-cp312-cp312-manylinux_2_28_x86_64-cuda13.0.whl`` and the like.

        Six components may mean a build tag or a label: torch 2.10.0 was published with build tag
        3. A build tag starts with a digit and a Python tag never does, so the third one tells.
        Raises ``InvalidValueError`` for names that are neither.
        """
        parts = text.removesuffix(_SUFFIX).split("-")
        has_build = len(parts) > _FEWEST and parts[2][:1].isdigit()
        without_label = _FEWEST + has_build
        if not text.endswith(_SUFFIX) or not without_label <= len(parts) <= without_label + 1:
            raise InvalidValueError(f"not a wheel's file name: {text[:200]!r}; form: {_EXPECTED}")
        label = parts[without_label] if len(parts) > without_label else ""
        if len(parts) > without_label and not _LABEL.fullmatch(label):
            raise InvalidValueError(
                f"not a variant label: {label[:60]!r} in {text[:200]!r}; "
                "expected lower-case letters, digits, '_' and '.'"
            )
        _check_with_packaging("-".join(parts[:without_label]) + _SUFFIX)
        build = parts[2] if has_build else ""
        python, abi, platform = parts[without_label - 3 : without_label]
        return cls(parts[0], parts[1], build, python, abi, platform, label)

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags: one, or several that a dot parts."""
        return tuple(self.platform.split("."))

    def __str__(self) -> str:
        parts = (
            self.name, self.version, self.build, self.python, self.abi, self.platform, self.label
        )  # fmt: skip
        return "-".join(part for part in parts if part) + _SUFFIX


def _check_with_packaging(text: str) -> None:
    try:
        parse_wheel_filename(text)
    except InvalidWheelFilename as error:
        raise InvalidValueError(f"{error}; form: {_EXPECTED}") from error
