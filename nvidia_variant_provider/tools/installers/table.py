"""The installers: which version was tested, what its commands read, how it sees a machine.

One row an installer. To move on to a new version edit its row, run ``.ci/regen_installers.py``,
which writes docs/installers.md and the pins of the tests and examples, and run the tests marked
``clients``, which hold the rows of uv, pip and variantlib to the real ones.

Sources: measured on Linux with small wheels on a loopback index on the day of each row; "since" is
from the installer's changelog.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from nvidia_variant_provider.overrides import FORCE_CUDA, FORCE_SM_ARCH
from nvidia_variant_provider.value_types import dataclass


class Reads(Enum):
    """What a command makes of a release that has variants and a wheel without a label."""

    VARIANTS = "variants"
    PLAIN = "only the wheel without a label"
    REFUSES = "stops with an error at a variant"


@dataclass(frozen=True, slots=True)
class Command:
    """A command of an installer; ``note`` is a condition, such as ``without --universal``."""

    words: str
    reads: Reads
    note: str = ""

    @property
    def text(self) -> str:
        """The command as docs show it: ```uv pip compile` without --universal``."""
        return f"`{self.words}` {self.note}".rstrip()


@dataclass(frozen=True, slots=True)
class Installer:
    """One installer.

    ``name`` is what users type and what ``--installer`` takes; ``called`` and ``remark`` are for
    sentences; ``package`` is its name on PyPI and ``version`` the one that was ``tested``.

    ``rules`` is the rule set by which it judges the properties of ``nvidia``, ``None`` where it
    does not judge any; ``since`` its first version that does. ``reader`` names the reader of
    variant metadata that does as it does. ``switches`` are variables, with their values, without
    which it reads no variants. ``facts`` are the variables by which it can be told of a machine.
    ``answers`` are the namespaces that it answers for by itself, without a plugin.
    ``runs`` says which installer it starts, and so chooses as, where it has no resolver of its own.
    """

    name: str
    called: str
    remark: str
    package: str
    version: str
    tested: str
    commands: tuple[Command, ...]
    rules: int | None = None
    since: str = ""
    reader: str = ""
    switches: tuple[tuple[str, str], ...] = ()
    facts: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    runs: str = ""

    @property
    def title(self) -> str:
        """What results are headed with: ``uv (its own copy, rule set 0)``."""
        return f"{self.called} ({self.remark})"

    @property
    def pin(self) -> str:
        """The requirement that installs the tested version: ``uv==0.1.2``."""
        return f"{self.package}=={self.version}"

    @property
    def reads_variants(self) -> bool:
        """Whether at least one of its commands can choose a variant."""
        return any(command.reads is Reads.VARIANTS for command in self.commands)


def _plain(called: str, remark: str, version: str, *commands: str) -> Installer:
    """Return the row of an installer that knows nothing of variants."""
    rows = tuple(Command(words, Reads.PLAIN) for words in commands)
    return Installer(called.lower(), called, remark, called.lower(), version, _DAY, rows)


def _runs(called: str, version: str, installer: str) -> Installer:
    """Return the row of a tool that leaves the choice to an installer that it starts."""
    name = called.lower()
    return Installer(name, called, f"runs {installer}", name, version, _DAY, (), runs=installer)


_DAY: Final = "2026-11-25"
_KNOWS_NONE: Final = "knows no variants"

PROVIDER: Final = Installer(
    name="provider",
    called="this provider",
    remark="rule set 1",
    package="variantlib",
    version="0.2.2",
    tested=_DAY,
    commands=(Command("variantlib", Reads.VARIANTS, "and what loads plugins as it does"),),
    rules=1,
    since="0.2.0",
    reader="pep",
)

# "Since": NVIDIA detection appeared in the release of 2026-10-26; before, no variant of nvidia
# was chosen.
UV: Final = Installer(
    name="uv",
    called="uv",
    remark="its own copy, rule set 0",
    package="uv",
    version="0.13.9",
    tested=_DAY,
    commands=(
        Command("uv pip install", Reads.VARIANTS),
        Command("uv pip sync", Reads.VARIANTS),
        Command("uv pip compile", Reads.VARIANTS, "without --universal"),
        Command("uv run --no-project --with", Reads.VARIANTS),
        Command("uv pip compile --universal", Reads.PLAIN),
        Command("uv lock", Reads.PLAIN),
        Command("uv sync", Reads.PLAIN),
        Command("uv add", Reads.PLAIN),
        Command("uv run", Reads.PLAIN, "in a project"),
        Command("uv pip compile --format pylock.toml", Reads.REFUSES),
    ),
    rules=0,
    since="0.13.6",
    reader="uv",
    switches=(("UV_PREVIEW_FEATURES", "wheel-variants"),),
    facts=(FORCE_CUDA, FORCE_SM_ARCH),
    answers=("nvidia", "tpu", "x86_64", "aarch64"),
)

PIP: Final = _plain("pip", _KNOWS_NONE, "26.3", "pip install", "pip download")

INSTALLERS: Final = (
    PROVIDER,
    UV,
    PIP,
    _plain("Poetry", _KNOWS_NONE, "2.5.1", "poetry"),
    _plain("PDM", _KNOWS_NONE, "2.29.4", "pdm"),
    _runs("Pipenv", "2026.10.3", "its own copy of pip"),
    _runs("pipx", "1.18.4", "uv where it is on the PATH, else pip"),
    _runs("Hatch", "1.18.2", "pip, or uv where the project says so"),
    _runs("tox", "4.67.15", "pip, or uv with tox-uv"),
    _runs("nox", "2026.10.20", "pip, or uv where the session says so"),
)
"""Every installer; the first ones are those that ``explain`` shows, in this order."""

EXPLAINED: Final = (PROVIDER, UV, PIP)
"""The installers whose results ``explain`` shows; the others choose as pip does."""


def by_name(name: str) -> Installer:
    """Return an installer by its name: ``uv``; raises ``KeyError`` for any other."""
    return {installer.name: installer for installer in INSTALLERS}[name]


def by_rules(rules: int) -> Installer:
    """Return the installer that a rule set predicts: 0 is uv's; raises ``KeyError``."""
    return {row.rules: row for row in INSTALLERS if row.rules is not None}[rules]
