"""Put every case to an implementation and say how it went; the judge is a pure function."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider import __version__
from nvidia_variant_provider.tools.conformance.json_model import (
    ConformanceReport,
    Failure,
    GroupTally,
)
from nvidia_variant_provider.tools.conformance.peer import Peer, PeerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nvidia_variant_provider.tools.conformance.cases import Case

PROTOCOL: Final = 1
SCHEMA_VERSION: Final = 1

# An implementation that does not answer at all must not cost a deadline for each of the cases.
MAX_SILENCES: Final = 5


class Result(Enum):
    """How a case went."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case, how it went and why; ``seen`` is the reply if there was one to read."""

    case: Case
    result: Result
    reason: str = ""
    seen: Mapping[str, object] | None = None


def run_cases(cases: Sequence[Case], command: Sequence[str], seconds: float) -> Iterator[Outcome]:
    """Yield the outcome of each case; whatever the implementation does, it is an outcome.

    After ``MAX_SILENCES`` cases in a row without an answer, the rest fail unasked.
    """
    peer, silences = Peer(command, seconds), 0
    try:
        for case in cases:
            if silences >= MAX_SILENCES:
                yield Outcome(case, Result.FAILED, f"not asked: {silences} cases had no answer")
                continue
            outcome, is_silent, is_in_step = _put(peer, case)
            silences = silences + 1 if is_silent else 0
            if not is_in_step:
                peer.close()
            yield outcome
    finally:
        peer.close()


def request_line(case: Case) -> str:
    """Return the line that puts a case to an implementation."""
    request = {"protocol": PROTOCOL, "id": case.id, **case.request}
    return json.dumps(request, ensure_ascii=True, separators=(",", ":"))


def judge(case: Case, reply: Mapping[str, object]) -> Outcome:
    """Compare a reply with what is expected; keys that are not asked for are left aside."""
    if "skip" in reply:
        return Outcome(case, Result.SKIPPED, str(reply["skip"])[:200], reply)
    ((key, wanted),) = case.expected.items()
    if key not in reply:
        answer = next(
            (f"{key_seen}: {reply[key_seen]!r:.120}" for key_seen in _ANSWERS if key_seen in reply),
            "none of it",
        )
        return Outcome(case, Result.FAILED, f"expected {key!r}, seen {answer}", reply)
    difference = _difference(key, wanted, _comparable(key, reply[key]))
    result = Result.FAILED if difference else Result.PASSED
    return Outcome(case, result, difference, reply)


def document(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Return the report as JSON."""
    report = ConformanceReport(
        schema_version=SCHEMA_VERSION,
        provider_version=__version__,
        protocol=PROTOCOL,
        conforms=conforms(outcomes),
        groups=[
            GroupTally(group=group, **{result.value: count for result, count in counts.items()})
            for group, counts in tally(outcomes).items()
        ],
        failures=[_failure(outcome) for outcome in outcomes if outcome.result is Result.FAILED],
    )
    return report.model_dump(mode="json")


def _failure(outcome: Outcome) -> Failure:
    case, seen = outcome.case, outcome.seen
    return Failure(
        id=case.id,
        reason=outcome.reason,
        seen=None if seen is None else dict(seen),
        expected=dict(case.expected),
    )


def tally(outcomes: Sequence[Outcome]) -> dict[str, dict[Result, int]]:
    """Return how many cases of each group passed, failed and were skipped."""
    counts: dict[str, dict[Result, int]] = {}
    for outcome in outcomes:
        counts.setdefault(outcome.case.group, dict.fromkeys(Result, 0))[outcome.result] += 1
    return counts


def conforms(outcomes: Sequence[Outcome]) -> bool:
    """Tell whether no case failed; skipping everything is no conformance."""
    results = {outcome.result for outcome in outcomes}
    return Result.PASSED in results and Result.FAILED not in results


_ANSWERS: Final = ("error", "fault", "features", "label", "facts")


def _put(peer: Peer, case: Case) -> tuple[Outcome, bool, bool]:
    """Return the outcome, whether there was no answer, and whether the next may be trusted."""
    try:
        line = peer.ask(request_line(case))
    except PeerError as error:
        return Outcome(case, Result.FAILED, str(error)), True, False
    try:
        reply = json.loads(line)
    except (ValueError, RecursionError):
        reason = f"answered with something that is not JSON: {line.strip()!r:.120}"
        return Outcome(case, Result.FAILED, reason), False, False
    if not isinstance(reply, dict) or reply.get("id") != case.id:
        reason = f"answered without the request's id: {line.strip()!r:.120}"
        return Outcome(case, Result.FAILED, reason), False, False
    return judge(case, reply), False, True


def _comparable(key: str, value: object) -> object:
    """Leave out what an implementation may word as it likes."""
    if key == "error" and isinstance(value, dict):
        return {"variable": value.get("variable")}
    return value


def _difference(where: str, wanted: object, seen: object) -> str:
    """Return the first difference in words; empty if there is none."""
    if isinstance(wanted, dict) and isinstance(seen, dict):
        keys = dict.fromkeys((*wanted, *seen))
        pairs = [(f"{where}.{key}", wanted.get(key), seen.get(key)) for key in keys]
        return _first(_difference(*pair) for pair in pairs)
    if isinstance(wanted, list) and isinstance(seen, list):
        places = enumerate(zip(wanted, seen, strict=False))
        inside = _first(_difference(f"{where}[{index}]", *pair) for index, pair in places)
        lengths = f"{where}: expected {len(wanted)} of them, seen {len(seen)}"
        return inside or (lengths if len(wanted) != len(seen) else "")
    # To Python True is 1 and 1.0 is 1; to a reader of JSON they are not.
    if type(wanted) is type(seen) and wanted == seen:
        return ""
    return f"{where}: expected {_brief(wanted)}, seen {_brief(seen)}"


def _first(texts: Iterable[str]) -> str:
    return next(filter(None, texts), "")


def _brief(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 - a line's width
