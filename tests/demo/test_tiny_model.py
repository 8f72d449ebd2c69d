from __future__ import annotations

import numpy as np

from sanso.demo.tiny_model import VOCABULARY, TinyModel


def test_the_same_prompt_gives_the_same_tokens_and_its_beginning_comes_from_the_cache() -> None:
    model = TinyModel()
    cold, first = model.generate([b"quarterly report"], 20)
    tokens = list(first)
    warm, second = model.generate([b"quarterly report"], 20)
    assert (cold, warm) == (0, 8)
    assert list(second) == tokens
    assert len(tokens) == 20
    assert all(0 <= token < VOCABULARY for step in tokens for token in step)


def test_another_prompt_gives_other_tokens() -> None:
    model = TinyModel()
    answers = [list(model.generate([prompt], 30)[1]) for prompt in (b"one thing", b"quite another")]
    assert answers[0] != answers[1]


def test_coarser_weights_agree_less_with_the_original_ones() -> None:
    model, random = TinyModel(), np.random.default_rng(1)
    assert model.agreement(500, random) == 1.0
    model.quantise(12)
    worse = model.agreement(500, random)
    assert worse < 0.95
    model.quantise(4096)
    assert model.agreement(500, random) > worse


def test_the_cache_is_bounded() -> None:
    model = TinyModel()
    for number in range(100):
        model.generate([b"%04d" % number + b"." * 4], 1)
    assert len(model._prefixes) <= 32
