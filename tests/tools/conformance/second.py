"""A second implementation of the namespace, written from docs/properties.md alone.

It shares no code with the package, says what it means as sets and sort keys rather than as lists
built in order, and speaks the conformance protocol on its standard streams. It does not detect.
"""

from __future__ import annotations

import json
import re
import sys
from difflib import get_close_matches
from typing import Any

PREFIX = "NV_VARIANT_PROVIDER_"
Version = tuple[int, int]

TEGRA = {(5, 3), (6, 2), (7, 2), (8, 7), (8, 8)}
LEGAL = {
    "FORCE_CUDA_DRIVER_VERSION": r"\s*[vV]?0*[0-9]{1,2}(\.0*[0-9]{1,2}(\.[0-9]{1,6})?)?\s*",
    "FORCE_SM_ARCH": r"\s*[0-9]{1,2}\.[0-9]\s*",
    "GPU": r"(?i:all|highest|lowest|[0-9]{1,3}|(gpu|mig)-[0-9a-f-]*)",
    "RULES": r"[01]",
    "TIMEOUT": r"[0-9]{1,4}(\.[0-9]{1,3})?",
    "ROOT": r"/[^\0]*",
    "MACHINE": r"/[^\0]*",
}
STATUSES = [
    *("ok", "driver-no-gpu", "gpu-no-driver", "blocked"),
    *("broken", "timeout", "none", "pinned"),
]


class Refused(Exception):  # noqa: N818 - an answer of the protocol, not a mistake
    """An override or a machine file is malformed; the text is the variable."""


def version(text: str) -> Version:
    major, minor, *_ = [*text.strip().lstrip("vV").split("."), "0"]
    return int(major), int(minor)


# The environment


def said(environment: dict[str, str]) -> dict[str, str]:
    if environment.get(PREFIX + "TARGET") and environment.get(PREFIX + "MACHINE"):
        raise Refused(PREFIX + "TARGET")
    names = [*LEGAL, "TARGET"]
    for name in (it.removeprefix(PREFIX) for it in environment if it.startswith(PREFIX)):
        words = set(name.split("_"))
        near = any(words <= set(it.split("_")) for it in names) or get_close_matches(
            name, names, 1, 0.8
        )
        if environment[PREFIX + name] and name not in names and near:
            raise Refused(PREFIX + name)
    found = {}
    for name, pattern in LEGAL.items():
        text = environment.get(PREFIX + name, "")
        if text and not re.fullmatch(pattern, text):
            raise Refused(PREFIX + name)
        found[name] = text
    if found["TIMEOUT"] and not 0.1 <= float(found["TIMEOUT"]) <= 600:
        raise Refused(PREFIX + "TIMEOUT")
    return found


def check_machine(machine: dict[str, Any]) -> None:
    gpus = machine.get("gpus", [])
    of_kind = (
        machine.get("schema_version", 1) == 1
        and machine.get("status", "pinned") in STATUSES
        and isinstance(machine.get("tegra", False), bool)
        and fits(machine.get("cuda_driver_version"), r"\d{1,2}(\.\d{1,2})?")
        and fits(machine.get("driver_release"), r"\d{2,4}(\.\d+){1,2}")
        and isinstance(gpus, list)
        and all(isinstance(gpu, dict) for gpu in gpus)
    )
    if not of_kind or not all(fits(it.get("compute_capability"), r"\d{1,2}\.\d") for it in gpus):
        raise Refused(PREFIX + "MACHINE")


def fits(value: object, pattern: str) -> bool:
    return value is None or (isinstance(value, str) and bool(re.fullmatch(pattern, value)))


def known_gpus(machine: dict[str, Any], words: dict[str, str]) -> list[Version | None]:
    """The capabilities that are left after the overrides; ``None`` is an unknown one."""
    gpus = list(machine.get("gpus", []))
    if words["FORCE_SM_ARCH"]:
        gpus = [{"compute_capability": words["FORCE_SM_ARCH"]}]
    capabilities = [it.get("compute_capability") for it in gpus]
    found = [version(it) if it else None for it in capabilities]
    choice = words["GPU"].lower()
    pairs = zip(found, gpus, strict=True)
    counted = [it for it, gpu in pairs if words["RULES"] == "0" or counts(gpu, gpus)]
    if choice == "all" or not gpus:
        return found
    if not choice:
        return counted
    if choice in {"highest", "lowest"}:
        known = [it for it in found if it]
        return [max(known) if choice == "highest" else min(known)] if known else counted
    if choice.isdigit():
        kept = [it for index, it in enumerate(found) if index == int(choice)]
        told = True
    else:
        uuids = [it.get("uuid", "").lower() for it in gpus]
        named = zip(found, uuids, strict=True)
        kept = [it for it, uuid in named if uuid and uuid.startswith(choice)]
        told = all(uuids)
    if not kept and told:
        raise Refused(PREFIX + "GPU")
    return kept or counted


def counts(gpu: dict[str, Any], gpus: list[dict[str, Any]]) -> bool:
    """Whether a GPU is more than one for the screen beside a big one."""
    memory = gpu.get("memory_mib")
    if memory is None or memory > 4096 or re.search(r"\bMIG\b|-\d+[ABCQ]$", gpu.get("name", "")):
        return True
    biggest = max(it.get("memory_mib") or 0 for it in gpus)
    return bool(gpu.get("uuid", "").startswith("MIG-") or memory * 4 >= biggest)


# The rules

MAJORS, MINORS = range(11, 16), range(21)
BOUNDS = {f"{a}.{b}": (a, b) for a in MAJORS for b in MINORS} | {str(a): (a, 0) for a in MAJORS}


def newest_first(values: set[str]) -> list[str]:
    return sorted(values, key=lambda it: (BOUNDS[it], "." in it), reverse=True)


def features(request: dict[str, Any]) -> list[dict[str, Any]]:
    words = said(request["environment"])
    machine = request["machine"] or {}
    check_machine(machine)
    cuda = words["FORCE_CUDA_DRIVER_VERSION"] or machine.get("cuda_driver_version")
    gpus = known_gpus(machine, words)
    if not cuda:
        return []
    if words["RULES"] == "0":
        return rules_0(version(cuda), gpus, forced=bool(words["FORCE_CUDA_DRIVER_VERSION"]))
    return rules_1(version(cuda), gpus)


def shown(lower: list[str], upper: list[str], archs: list[str]) -> list[dict[str, Any]]:
    rows = (
        ("cuda_version_lower_bound", lower, False),
        ("cuda_version_upper_bound", upper, False),
        ("sm_arch", archs, True),
    )
    return [
        {"name": name, "values": values, "multi_value": several}
        for name, values, several in rows
        if values
    ]


def rules_0(cuda: Version, gpus: list[Version | None], *, forced: bool) -> list[dict[str, Any]]:
    if not forced and not (11, 0) <= cuda <= (15, 20):
        return []
    table = dict(BOUNDS)
    # A forced version may lie outside the catalogue: both lists then reach out to it.
    for major in range(min(11, cuda[0]), cuda[0] + 1):
        top = max(20, cuda[1]) if major == cuda[0] else 20
        table |= {f"{major}.{minor}": (major, minor) for minor in range(top + 1)}
        table[str(major)] = (major, 0)
    order = sorted(table, key=lambda it: (table[it], "." in it), reverse=True)
    lower = [it for it in order if (11, 0) <= table[it] <= cuda]
    upper = [it for it in order if cuda < table[it] and table[it][1] <= 20 and table[it] < (16, 0)]
    strongest = max((it for it in gpus if it), default=(0, 0))
    archs = [f"{strongest[0]}{minor}_real" for minor in reversed(range(strongest[1] + 1))]
    usable = strongest >= (5, 0)
    return shown(lower, upper, [*archs, f"{strongest[0]}0_virtual"] if usable else [])


def rules_1(cuda: Version, gpus: list[Version | None]) -> list[dict[str, Any]]:
    if cuda < (11, 0):
        return []
    counting = min(cuda, (15, 20))
    counting = (counting[0], min(counting[1], 20))
    if gpus and all(it and it < (7, 5) for it in gpus) and cuda >= (13, 0):
        counting = (12, 9)
    lower = newest_first({it for it, number in BOUNDS.items() if number <= counting})
    upper = newest_first({it for it, number in BOUNDS.items() if number > counting})
    distinct = sorted({it for it in gpus if it})
    archs: list[str] = []
    for device in distinct:
        archs += [it for it in code_for(device, cuda) if it not in archs]
    found = shown(lower, upper, archs)
    if len(distinct) > 1:
        found.sort(key=lambda it: it["name"] != "sm_arch")
    return found


def code_for(device: Version, cuda: Version) -> list[str]:
    """Everything that runs on one device, best first."""
    found = []
    for number in range(30, 160):
        target = (number // 10, number % 10)
        for suffix in ("", "f", "a"):
            if (suffix == "a" and number < 90) or (suffix == "f" and number < 100):
                continue
            for kind in ("real", "virtual"):
                if runs(target, suffix, kind, device, cuda):
                    plain = kind == "virtual" and not suffix
                    place = target if plain else present(target)
                    rank = (kind == "real", place, target, " fa".index(suffix or " "))
                    found.append((rank, f"{number}{suffix}_{kind}"))
    return [text for _, text in sorted(found, reverse=True)]


def present(capability: Version) -> Version:
    return (11, 0) if capability == (10, 1) else capability


def runs(target: Version, suffix: str, kind: str, device: Version, cuda: Version) -> bool:
    device = present(device)
    if kind == "virtual" and not suffix:
        return target <= device
    target = present(target)
    if target == device:
        return True
    if suffix == "a" or target > device:
        return False
    if target[0] != device[0]:
        return False
    apart = not suffix and bool({target, device} & TEGRA)
    return not apart or (device[0] == 8 and cuda >= (13, 2))


# The choice, as PEP 825 has it


def label(request: dict[str, Any]) -> str | None:
    metadata = request["metadata"]
    offers = {"nvidia": {it["name"]: it["values"] for it in features(request)}}
    for namespace, provider in metadata["providers"].items():
        if "static-properties" in provider:
            offers[namespace] = provider["static-properties"]
    end = (99, 0, 0)
    ranked = []
    for name, stated in metadata["variants"].items():
        keys = []
        for namespace, wanted in stated.items():
            for feature, values in wanted.items():
                offered = offers[namespace].get(feature, [])
                best = min((offered.index(it) for it in values if it in offered), default=None)
                place = metadata["default-priorities"]["namespace"].index(namespace)
                keys.append(
                    best is not None and (place, list(offers[namespace]).index(feature), best)
                )
        if all(keys):
            ranked.append(([*sorted(key for key in keys if key), end], name))
    return min(ranked)[1] if ranked else None


def answer(request: dict[str, Any]) -> dict[str, Any]:
    environment = request.get("environment", {})
    if environment.get(PREFIX + "TARGET") and not environment.get(PREFIX + "MACHINE"):
        return {"skip": "the page names no products"}
    try:
        if request["ask"] == "properties":
            return {"features": features(request)}
        if request["ask"] == "choice":
            return {"label": label(request)}
    except Refused as error:
        return {"error": {"variable": str(error)}}
    return {"skip": "properties only"}


if __name__ == "__main__":
    for line in sys.stdin:
        asked = json.loads(line)
        sys.stdout.write(json.dumps({"id": asked["id"], **answer(asked)}) + "\n")
        sys.stdout.flush()
