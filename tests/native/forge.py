"""Turn a recorded machine into files: compiled libraries, device nodes, a scripted nvidia-smi."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.native.build import FOLDER, SONAMES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.native.build import StandIns
    from tests.recorded import State

ARCHITECTURE: Final = os.uname().machine
NVIDIA_MAJOR: Final = 195
# A library that hangs in a record sleeps for longer than any test waits; so does a slow one.
FOREVER: Final = 60
SLOW: Final = 10
UUID_DIGITS: Final = 32
_FAULTS: Final = {"signal 11": "segfault", "signal 6": "abort", "timeout": f"sleep {FOREVER}"}


def why_not(state: State) -> str:
    """Return why a state cannot be made of files here; empty if it can."""
    platform: dict[str, str] = state.observed["platform"]
    if platform["system"] != "linux" or platform["libc"] != "glibc":
        return f"{platform['system']} {platform['libc']}"
    if platform["architecture"] != ARCHITECTURE:
        return platform["architecture"] + " is not this machine's architecture"
    if "NV_VARIANT_PROVIDER_TIMEOUT" in state.observed.get("environment", {}):
        return "takes as long as it says"
    ends = [reply["end"] for reply in state.observed.get("libraries", ())]
    return next((str(end) for end in ends if end.startswith("not started")), "")


@dataclass(frozen=True, slots=True)
class Forge:
    """Makes the files of a state below a folder."""

    state: State
    root: Path
    stand_ins: StandIns

    def make(self) -> None:
        """Write everything that was recorded, and the libraries where the loader would look."""
        observed = self.state.observed
        if any(path.startswith("/lib/") for path in observed.get("files", {})):
            # A folder there would hide that of this machine, which is a link nearly everywhere.
            self.locate("/usr/lib/none")
            (self.root / "lib").symlink_to("usr/lib")
        for path, entry in observed.get("files", {}).items():
            self._make_file(path, entry)
        for reply in observed.get("libraries", ()):
            # What only a person's detection asks is said by the same libraries.
            if reply["api"] in {"nvml", "cuda"}:
                self._make_library(reply)
        programs = observed.get("programs", ())
        for path in {program["arguments"][0] for program in programs}:
            self._script(path, [it for it in programs if it["arguments"][0] == path])

    def locate(self, path: str) -> Path:
        """Return where a path of the machine lies; its folder is made."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _make_file(self, path: str, entry: Any) -> None:  # noqa: ANN401 - JSON
        target = self.locate(path)
        if isinstance(entry, str):
            target.write_text(entry, encoding="utf-8")
        elif "link" in entry:
            target.symlink_to(entry["link"])
        elif "present" in entry:
            self._make_node(path, target)
        elif entry.get("head"):
            # Replaced by a compiled library where the record has its reply.
            target.write_bytes(bytes.fromhex(entry["head"]).ljust(min(entry["size"], 4096), b"\0"))
        else:
            target.write_bytes(b"\0" * min(entry["size"], 4096))

    def _make_node(self, path: str, target: Path) -> None:
        if path.startswith("/dev/") and os.geteuid() == 0:
            name = target.name
            minor = int(name[6:]) if name[6:].isdecimal() else 255
            os.mknod(target, stat.S_IFCHR | 0o666, os.makedev(NVIDIA_MAJOR, minor))
        elif path.startswith("/dev/"):
            target.touch()
        else:
            target.mkdir(exist_ok=True)

    def _make_library(self, reply: dict[str, Any]) -> None:
        lines = [line.split("\t") for line in reply["lines"]]
        if lines and lines[0][0] == "unloadable":
            return  # The file that does not load is among the recorded files, or there is none.
        target = self.locate(self._place(reply["api"], reply["path"]))
        real = target.resolve() if target.is_symlink() else target
        stand_in = self.stand_ins.nvml if reply["api"] == "nvml" else self.stand_ins.cuda
        real.write_bytes(stand_in.read_bytes())
        conf = "\n".join(_conf(lines, reply)) + "\n"
        # The library reads the file beside the name it was opened by.
        for path in {target, real}:
            path.with_name(f"{path.name}.conf").write_text(conf, encoding="utf-8")

    def _place(self, api: str, path: str) -> str:
        """Return where the loader finds a soname: on its search path, else the system's folder."""
        if path.startswith("/"):
            return path
        searched = self.state.observed.get("environment", {}).get("LD_LIBRARY_PATH", "").split(":")
        places = (f"{folder}/{SONAMES[api]}" for folder in searched if folder)
        known = self.state.observed.get("files", {})
        return next((place for place in places if place in known), f"/{FOLDER}/{SONAMES[api]}")

    def _script(self, path: str, programs: list[dict[str, Any]]) -> None:
        """Write a program that prints what was recorded for the arguments it is given."""
        cases = []
        for program in programs:
            text = "\n".join(program["lines"])
            code = program["end"].removeprefix("exit ")
            arguments = " ".join(program["arguments"][1:])
            cases.append(f"'{arguments}')\ncat <<'END'\n{text}\nEND\nexit {code} ;;\n")
        target = self.locate(path)
        target.write_text(f'#!/bin/sh\ncase "$*" in\n{"".join(cases)}esac\nexit 99\n', "utf-8")
        target.chmod(0o755)


def _conf(lines: list[list[str]], reply: dict[str, Any]) -> Iterable[str]:
    """Yield what the stand-in must be told to say these lines."""
    gpus = [int(fields[1]) for fields in lines if fields[0] == "gpu"]
    for word, *fields in lines:
        if word == "init":
            yield "stub" if fields[0] == "34" else f"init {fields[0]}"
        elif word in {"driver", "cuda", "count"}:
            yield f"{word} {fields[1]}" if fields[0] == "0" else f"{word}_code {fields[0]}"
    for index in gpus:
        yield from _conf_gpu(index, lines)
    if reply["end"] in _FAULTS:
        yield f"at {'init' if lines else 'load'} {_FAULTS[reply['end']]}"
    elif reply["seconds"] >= SLOW:
        # When each line came is not recorded, so none comes in time.
        yield f"at load sleep {FOREVER}"


def _conf_gpu(index: int, lines: list[list[str]]) -> Iterable[str]:
    facts = {word: fields[1:] for word, *fields in lines if fields and fields[0] == str(index)}
    code, *_ = facts["gpu"]
    capability, name, uuid, pci = (
        facts.get(word, ["0", "0", "0"]) for word in ("capability", "name", "uuid", "pci")
    )
    bare = uuid[1] or "-"
    if len(bare) == UUID_DIGITS:
        bare = f"GPU-{bare[:8]}-{bare[8:12]}-{bare[12:16]}-{bare[16:20]}-{bare[20:]}"
    yield f"gpu {capability[1]}.{capability[2]} {bare} {pci[1] or '-'} {name[1] or '-'}"
    if code != "0":
        yield f"lost {index} {code}"
    if capability[0] != "0":
        yield f"capability_code {index} {capability[0]}"
    if facts.get("integrated", ["", ""])[1] == "1":
        yield f"integrated {index}"
    if facts.get("mig", ["", ""])[1] == "1":
        yield f"mig {index}"
    memory = facts.get("memory", ["3"])
    if memory[0] == "0":
        yield f"memory {index} {memory[1]}"
