"""What a person reads who opens the server in a browser or with curl: addresses and commands.

The front page says how machines are spelt; the page of a machine has the commands for its index.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from nvidia_variant_provider import __version__
from nvidia_variant_provider.tools.releases.network_settings import host_to_trust
from nvidia_variant_provider.tools.views.named import CPU

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvidia_variant_provider.model import Machine

ANY: Final = "any"
EXAMPLE: Final = "h100@570"
_FORMS: Final = """\
h100@570                         product, and driver branch: 570.86.15 is of R570
rtx-4090@cuda12.8                product, and the CUDA version that nvidia-smi shows
nvidia-h100-80gb-hbm3@570.86.15  name and driver of nvidia-smi, "-" for blanks
a10+t4@570                       one machine with two kinds of GPUs
jetson-orin@jetpack6             a Jetson, and its JetPack
"""
_ASK: Final = "nvidia-smi --query-gpu=name,driver_version --format=csv,noheader"
_HTML: Final = """\
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>body {{ font: 1rem/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
pre {{ background: #8882; padding: .7rem; overflow-x: auto }} :root {{ color-scheme: light dark }}
</style></head>
<body>
<h1>{title}</h1>
{body}
</body></html>
"""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, a sentence and what to type: the address, or lines of a file."""

    heading: str
    words: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """The server as whoever asks knows it: ``http://views.example:8000/``, with a slash behind."""

    root: str

    def index(self, target: str) -> str:
        """Return the address that an installer is given for a machine."""
        return f"{self.root}{quote(target, safe='@+')}/simple/"


@dataclass(frozen=True, slots=True)
class About:
    """What there is to say of a target; without a machine it is ``any``.

    ``listed`` says why the list of projects is not shown where it was asked for. ``warnings`` are
    those of its pages.
    """

    target: str
    machine: Machine | None
    listed: str = ""
    warnings: tuple[str, ...] = ()


def front_page(site: Site) -> str:
    """Return the text of ``/``."""
    return _text("Indexes of Python packages, one for each kind of NVIDIA machine", _front(site))


def front_page_html(site: Site) -> str:
    """Return the front page for a browser."""
    return _page("Indexes of Python packages, one for each kind of NVIDIA machine", _front(site))


def target_page(site: Site, about: About) -> str:
    """Return the text of ``/h100@570/``."""
    return _text(_title(about), _of_target(site, about))


def target_page_html(site: Site, about: About) -> str:
    """Return the page of a machine for a browser."""
    return _page(_title(about), _of_target(site, about))


def _front(site: Site) -> list[Section]:
    addresses = (
        (site.index(EXAMPLE), "what an H100 with driver branch R570 should see"),
        (site.index(CPU), "what a machine without a GPU should see"),
        (site.index(ANY), "the main index, unchanged"),
        (f"{site.root}{EXAMPLE}/", "this page for one machine"),
    )
    width = len(addresses[0][0])
    return [
        Section(
            "Addresses",
            "The machine is in the address. Each index shows only the builds that fit the machine.",
            "".join(f"{address:<{width}}  {what}\n" for address, what in addresses),
        ),
        Section(
            "How a machine is spelt",
            f"NAME@DRIVER. On the machine, '{_ASK}' prints both. Without @DRIVER a driver branch "
            "is assumed, and the page of the machine names that branch.",
            _FORMS,
        ),
        *_commands(site, EXAMPLE),
        Section("This server", f"nvidia-variant-provider {__version__}, command 'serve'."),
    ]


def _title(about: About) -> str:
    target, machine = about.target, about.machine
    if machine is None:
        return "The main index, unchanged"
    if not machine.gpus:
        return f"The index for {target}: machines without a GPU"
    names = ", ".join(dict.fromkeys(gpu.name for gpu in machine.gpus if gpu.name))
    return f"The index for {target}: {names}, CUDA {machine.cuda}"


def _of_target(site: Site, about: About) -> list[Section]:
    index = site.index(about.target)
    sections = [Section("Address", _machine(about.machine), f"{index}\n")]
    if about.listed:
        sections.append(Section("All projects", about.listed, f"{index}torch/\n"))
    if about.warnings:
        lines = "".join(f"{warning}\n" for warning in about.warnings)
        sections.append(Section("Warnings", "Since the server started:", lines))
    return [
        *sections,
        *_commands(site, about.target),
        Section("Other machines", "The front page says how they are spelt.", f"{site.root}\n"),
    ]


def _machine(machine: Machine | None) -> str:
    """Say what the builds are for, and what is assumed of the machine."""
    if machine is None:
        return "Every package as the main index has it: no build is chosen."
    if not machine.gpus:
        return "The CPU builds, of packages that have several builds."
    numbers = ", ".join(sorted({str(gpu.capability) for gpu in machine.gpus}))
    notes = [f" {note.text[0].upper()}{note.text[1:]}." for note in machine.notes]
    return f"Compute capability {numbers}, {machine.reason.partition(': ')[2]}.{''.join(notes)}"


def _commands(site: Site, target: str) -> Iterator[Section]:
    index, host = site.index(target), host_to_trust(site.root)
    trusted = f"--trusted-host {host} " if host else ""
    warning = ", with --trusted-host, because pip ignores an address without TLS" if host else ""
    yield Section("pip", f"For one command{warning}:",
                  f"pip install {trusted}--index-url {index} torch\n")  # fmt: skip
    yield Section("uv", "For one command:",
                  f"uv pip install --default-index {index} torch\n")  # fmt: skip
    yield Section("uv lock", "In pyproject.toml, then 'uv lock':",
                  f'[[tool.uv.index]]\nurl = "{index}"\ndefault = true\n')  # fmt: skip
    name = re.sub(r"[^A-Za-z0-9]+", "-", target)
    yield Section("Poetry", "In pyproject.toml, then 'poetry lock':",
                  f'[[tool.poetry.source]]\nname = "{name}"\nurl = "{index}"\n'
                  'priority = "primary"\n')  # fmt: skip
    unverified = "verify_ssl = false\n" if host else ""
    source = f'name = "pypi"\nurl = "{index}"\n{unverified}'
    yield Section("PDM", "In pyproject.toml, then 'pdm lock':", f"[[tool.pdm.source]]\n{source}")
    yield Section("Pipenv", "In Pipfile, then 'pipenv lock':", f"[[source]]\n{source}")


def _text(title: str, sections: Sequence[Section]) -> str:
    blocks = [title]
    for section in sections:
        block = f"{section.heading}: {section.words}"
        blocks.append(block + "".join(f"\n  {line}" for line in section.code.splitlines()))
    return "\n\n".join(blocks) + "\n"


def _page(title: str, sections: Sequence[Section]) -> str:
    body = "\n".join(
        f"<h2>{html.escape(section.heading)}</h2>\n<p>{html.escape(section.words)}</p>"
        + (f"\n<pre>{html.escape(section.code)}</pre>" if section.code else "")
        for section in sections
    )
    return _HTML.format(title=html.escape(title), body=body)
