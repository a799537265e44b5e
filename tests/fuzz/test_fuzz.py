"""A share of the fuzzing in every test run; ``python -m tests.fuzz.run`` does 100,000 cases."""

from __future__ import annotations

from random import Random

import pytest

from tests.fuzz.mutate import TOKENS, mutate
from tests.fuzz.run import CHOICES, run_case, targets_of
from tests.fuzz.targets import TARGETS

BATCH = 2500
FILES = 300


@pytest.mark.parametrize("first", range(0, 8 * BATCH, BATCH))
def test_no_case_breaks_a_promise(first: int) -> None:
    reached = {run_case(seed) for seed in range(first, first + BATCH)}

    assert reached == {target.__name__ for target, _ in TARGETS}


@pytest.mark.parametrize("first", range(0, 4 * FILES, FILES))
def test_no_damaged_file_breaks_a_promise(first: int) -> None:
    targets = targets_of("files")

    reached = {run_case(seed, targets) for seed in range(first, first + FILES)}

    assert reached == {target.__name__ for target in targets}


def test_a_case_is_repeated_by_its_seed() -> None:
    def made(seed: int) -> list[str]:
        random = Random(seed)  # noqa: S311 - chance that can be repeated
        return [mutate(random, "NVRM version: 580.65.06", list(TOKENS)) for _ in range(50)]

    assert made(7) == made(7)
    assert made(7) != made(8)


def test_a_broken_promise_is_reported_with_its_seed() -> None:
    def broken(_: Random) -> None:
        raise KeyError("what a parser must not raise")

    with pytest.raises(KeyError, match=r"--seed 5 \(broken\)"):
        run_case(5, [broken])
    assert len(CHOICES) == 100
