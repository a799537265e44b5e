"""Parts the output of many hosts: pdsh and clush lines, clush and dshbak blocks, Ansible."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.inventory.gres import expand_hosts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NAME: Final = r"[A-Za-z0-9][\w.-]{0,252}"
_PREFIXED: Final = re.compile(rf"({_NAME}):(?: (.*))?")
_ANSIBLE: Final = re.compile(rf"({_NAME}) \| ([A-Z!]+)(?: \| rc=(\d+))? (?:>>|=>)(.*)")
_RULE: Final = re.compile(r"-{4,}\s*")
_BLOCK: Final = re.compile(r"([\w.,\[\]-]+)(?: \(\d+\))?\s*")
# pdsh reports a failed host under its own name: pdsh@login: n2: ssh exited with exit code 127.
_PDSH: Final = re.compile(rf"pdsh@{_NAME}: ({_NAME}): (.*)")
# What stands before a colon in the tools' own output, and is no host.
_NO_HOSTS: Final = re.compile(
    r"(GPU \d+|Failed|NVIDIA-SMI|Unable|bash|sh|zsh|.*/sh|[0-9a-f:]*\.\d)$"
)

Line = tuple[str, str]


def by_host(rows: Iterable[Line]) -> Iterator[tuple[str, str, list[Line]]]:
    """Yield each host with the place and the lines it printed; a lone machine has no name.

    Lines of hosts may be mixed. Equal lines of many hosts are held once.
    """
    hosts: dict[str, list[Line]] = {}
    known: dict[str, str] = {}
    names: tuple[str, ...] = ("",)
    expects_name = False
    for where, line in rows:
        if _RULE.fullmatch(line):
            expects_name = not expects_name
            continue
        if expects_name and (block := _BLOCK.fullmatch(line)):
            names = expand_hosts(block[1])
            continue
        ansible = _ANSIBLE.fullmatch(line)
        if ansible:
            names = (ansible[1],)
        own, text = (names, ansible[4]) if ansible else _split(line, names)
        for name in own:
            hosts.setdefault(name, []).append((where, known.setdefault(text, text)))
    for name, printed in hosts.items():
        if name or any(text.strip() for _, text in printed):
            yield name, printed[0][0], printed


def _split(line: str, names: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    if pdsh := _PDSH.fullmatch(line):
        return (pdsh[1],), pdsh[2]
    prefixed = _PREFIXED.fullmatch(line) if names == ("",) else None
    if prefixed and not _NO_HOSTS.fullmatch(prefixed[1]):
        return (prefixed[1],), prefixed[2] or ""
    return names, line
