"""Mutation testing: change one thing in a module, and see whether its tests notice.

Each mutant that no test notices must be in ``accepted.toml`` with a reason, and each entry there
must still be such a mutant. docs/mutation.md says how to read the output.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from tests.mutation import accepted, mutants, trial
from tests.mutation.plan import GROUPS, PACKAGE, Group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.mutation.accepted import Name


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the groups named; returns 1 if what survives is not exactly what is accepted."""
    names = [group.name for group in GROUPS]
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m tests.mutation rules fatbin",
    )
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"all when left out; of: {', '.join(names)}"
    )
    parser.add_argument("--module", help="only this module, for example rules/bounds.py")
    parser.add_argument("--within", help="only this function, for example effective_cuda")
    parser.add_argument(
        "--sample", type=int, metavar="N", help="only N mutants of each module, evenly spaced"
    )
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.groups) - set(names):
        parser.error(f"no group {', '.join(sorted(unknown))}; expected: {', '.join(names)}")
    trial.prepare()
    wrong = 0
    for group in GROUPS:
        if not chosen.groups or group.name in chosen.groups:
            wrong += sum(
                _try_module(group, module, chosen.within, chosen.sample)
                for module in group.modules
                if chosen.module in {None, module}
            )
    print(f"{wrong} to look at" if wrong else "every survivor is accepted")
    return 1 if wrong else 0


def _try_module(group: Group, module: str, within: str | None, sample: int | None) -> int:
    """Try every mutant of a module, print what came of it; returns how many need a look."""
    with open(f"{PACKAGE}/{module}", encoding="utf-8") as file:
        source = file.read()
    all_mutants = mutants.mutants_of(module, source, group.tables)
    limit = 4 + 3 * _seconds(module, source, group.tests)
    start, counts = time.monotonic(), Counter[trial.Outcome]()
    survivors: set[Name] = set()
    reasons = accepted.read(module)
    tried = [mutant for mutant in all_mutants if within in {None, mutant.name.within}]
    if sample is not None:
        tried = tried[:: max(1, len(tried) // sample)]
    for mutant in tried:
        outcome, _ = trial.attempt(module, mutant.source, group.tests, limit)
        counts[outcome] += 1
        if outcome is trial.Outcome.SURVIVED and mutant.name not in survivors:
            survivors.add(mutant.name)
            if accepted.entry_for(mutant.name, reasons) is None:
                print(f"survived, line {mutant.line}: {mutant.name}", flush=True)
    # Tests that began to fail for another reason would have killed every mutant.
    _seconds(module, source, group.tests)
    used = {accepted.entry_for(name, reasons) for name in survivors}
    places = {mutant.name.within for mutant in tried} if within else {it.within for it in reasons}
    stale = [name for name in reasons if name not in used and name.within in places]
    # A mutant outside the sample may survive or not.
    stale = [] if sample else stale
    for name in stale:
        print(f"accepted, but does not survive: {name}")
    words = ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in trial.Outcome)
    seconds = time.monotonic() - start
    print(f"{module}: {len(tried)} mutants, {words}, {seconds:.0f} s", flush=True)
    unexplained = [it for it in survivors if accepted.entry_for(it, reasons) is None]
    return len(unexplained) + len(stale)


def _seconds(module: str, source: str, tests: Sequence[str]) -> float:
    """Return the processor time that the tests take with the module as it is."""
    outcome, seconds = trial.attempt(module, source, tests, 600)
    if outcome is not trial.Outcome.SURVIVED:
        raise SystemExit(f"{module}: its tests fail without a mutant: {' '.join(tests)}")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
