"""What a shared object for the CPU says of itself, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """A named range of a file."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class HostFile:
    """The CPU's architecture, the libraries needed, and the sections of a shared object."""

    machine: str
    needed: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()

    def place(self, offset: int) -> str:
        """Name the section in which an offset lies; "outside sections" when in none."""
        for section in self.sections:
            if section.start <= offset < section.end:
                return section.name
        return "outside sections"
