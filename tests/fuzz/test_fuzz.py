"""Each target for a short while; `python -m tests.fuzz TARGET SECONDS` goes on for as long as one likes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.mutation import mutated
from tests.fuzz.questions import hard
from tests.fuzz.targets import TARGETS, Questions

INPUTS = 400


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_their_changes(name: str) -> None:
    target = TARGETS[name]()
    for seed in target.seeds:
        target.take(seed)
    chance = random.Random(name)
    for _ in range(INPUTS):
        target.take(mutated(target.seeds, chance))


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes(name: str) -> None:
    target = TARGETS[name]()

    @settings(max_examples=100, deadline=None)
    @given(st.binary(max_size=300))
    def holds(data: bytes) -> None:
        target.take(data)

    holds()


@pytest.mark.parametrize("asked", ["log2(Inf)", "exp(NaN)", "stddev_over_time((up > 7)[1m:10s])"])
def test_questions_that_were_once_a_fault(asked: str) -> None:
    Questions().ask(asked, 100_000)


def test_hard_questions_are_answered_or_refused() -> None:
    questions = Questions()
    for asked in hard():
        questions.ask(asked, 100_000)
