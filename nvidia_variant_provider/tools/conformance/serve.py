"""This implementation's side of the conformance protocol: a request in, a reply out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider import machine_file, overrides
from nvidia_variant_provider.detect.cascade import Detection
from nvidia_variant_provider.detect.replay import ReplayHost
from nvidia_variant_provider.errors import InvalidValueError, OverrideError, ProviderError
from nvidia_variant_provider.json_fields import field, mapping
from nvidia_variant_provider.model import Machine, Platform, Status
from nvidia_variant_provider.provider import decide_for, find_machine, with_forced_facts
from nvidia_variant_provider.tools.metadata.document import NVIDIA_NAMESPACE
from nvidia_variant_provider.tools.metadata.reading import parse_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nvidia_variant_provider.provider import Answer
    from nvidia_variant_provider.rules import Decision

PROTOCOL: Final = 1

_NOTHING: Final = Machine(Platform("linux", "", ""), Status.NONE, "detection found nothing")
# A target names the whole machine: of this one nothing is looked at.
_NOWHERE: Final = ReplayHost({"platform": {"system": "linux", "architecture": ""}})


def serve(lines: Iterable[str]) -> Iterator[str]:
    """Answer each line with a line; a line that is no request is answered with a fault."""
    for line in lines:
        yield json.dumps(reply_to(line), ensure_ascii=True)


def reply_to(line: str) -> dict[str, object]:
    """Return the reply to one request."""
    identity: object = None
    try:
        request = mapping(json.loads(line), "a request")
        identity = request.get("id")
        if request.get("protocol") != PROTOCOL:
            raise InvalidValueError(f"protocol: expected {PROTOCOL}")
        return {"id": identity, **_answer(request)}
    except OverrideError as error:
        return {"id": identity, "error": {"variable": error.variable, "message": str(error)}}
    except (ProviderError, ValueError, RecursionError) as error:
        return {"id": identity, "fault": f"{error!s:.200}"}


def _answer(request: Mapping[str, object]) -> dict[str, object]:
    asked = field(request, "ask", str)
    if asked == "properties":
        return {"features": _features(_decide(request))}
    if asked == "choice":
        return {"label": _choose(request)}
    if asked == "detection":
        return {"facts": _facts(request)}
    return {"skip": f"this implementation does not know the question {asked!r}"}


def _decide(request: Mapping[str, object]) -> Decision:
    environment = mapping(request.get("environment"), "environment")
    settings = overrides.read_overrides(
        {name: field(environment, name, str) for name in environment}
    )
    if settings.target:
        return decide_for(find_machine(_NOWHERE, settings), settings).decision
    machine = with_forced_facts(_machine(request.get("machine")), settings)
    return decide_for(Detection(machine, ()), settings).decision


def _machine(document: object) -> Machine:
    if document is None:
        return _NOTHING
    try:
        return machine_file.load(document)
    except InvalidValueError as error:
        # In an installation a machine comes in through this variable.
        raise OverrideError(overrides.MACHINE, "the request's", str(error)) from error


def _features(decision: Decision) -> list[dict[str, object]]:
    return [
        {"name": feature.name, "values": list(feature.values), "multi_value": feature.multi_value}
        for feature in decision.features
    ]


def _choose(request: Mapping[str, object]) -> str | None:
    document = json.dumps(request.get("metadata")).encode()
    metadata = parse_metadata(document, "the request's metadata")
    preferences = metadata.preferences({NVIDIA_NAMESPACE: _decide(request).features})
    return preferences.order_wheels(metadata.variants)[0]


def _facts(request: Mapping[str, object]) -> dict[str, object]:
    host = ReplayHost(request.get("observed"))
    settings = overrides.read_overrides(host.environ)
    answer: Answer = decide_for(find_machine(host, settings, confirm=True), settings)
    machine = answer.detection.machine
    return {
        "status": machine.status.value,
        "driver_release": str(machine.driver_release) if machine.driver_release else None,
        "cuda_driver_version": str(machine.cuda) if machine.cuda else None,
        "cuda_derived": machine.cuda_derived,
        "compute_capabilities": [str(capability) for capability in machine.capabilities],
    }
