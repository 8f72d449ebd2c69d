"""A small recurrent language model in numpy: random weights, real matrix products, a real prefix cache."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

VOCABULARY = 256
_WIDTH = 384
_CACHED_PREFIXES = 32


class TinyModel:
    """Generates tokens for a batch of prompts.

    Args:
        seed: Of the weights.

    Attributes:
        context_window: The longest prompt and answer together.
        batch_limit: The most prompts at once.
    """

    context_window = 512
    batch_limit = 8

    def __init__(self, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        self._embedding = random.standard_normal((VOCABULARY, _WIDTH)).astype(np.float32)
        self._recurrent = (random.standard_normal((_WIDTH, _WIDTH)) / np.sqrt(_WIDTH)).astype(np.float32)
        self._output = (random.standard_normal((_WIDTH, VOCABULARY)) / np.sqrt(_WIDTH)).astype(np.float32)
        self._output_used = self._output
        self._prefixes: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()

    def quantise(self, levels: int) -> None:
        """Answer from coarser weights from now on: what a careless deployment does to a model."""
        scale = float(np.abs(self._output).max()) * 2 / levels
        self._output_used = (np.round(self._output / scale) * scale).astype(np.float32)

    def agreement(self, samples: int, random: np.random.Generator) -> float:
        """Share of next tokens that the weights in use choose as the original ones do."""
        states = np.tanh(random.standard_normal((samples, _WIDTH))).astype(np.float32)
        return float(np.mean((states @ self._output).argmax(1) == (states @ self._output_used).argmax(1)))

    def generate(self, prompts: list[bytes], count: int) -> tuple[int, Iterator[list[int]]]:
        """How many prompt tokens came from the cache, and the tokens: one a prompt and step, `count` steps."""
        cached = 0
        states = np.zeros((len(prompts), _WIDTH), dtype=np.float32)
        for row, prompt in enumerate(prompts):
            states[row], known = self._read(prompt)
            cached += known
        return cached, self._steps(states, count)

    def _steps(self, states: NDArray[np.float32], count: int) -> Iterator[list[int]]:
        for _ in range(count):
            tokens = (states @ self._output_used).argmax(axis=1)
            yield tokens.tolist()
            states = np.tanh(states @ self._recurrent + self._embedding[tokens])

    def _read(self, prompt: bytes) -> tuple[NDArray[np.float32], int]:
        """The state after a prompt; its first half is looked up, and kept for the next prompt that begins so."""
        half = prompt[: len(prompt) // 2]
        state = self._prefixes.get(half)
        known = len(half) if state is not None else 0
        if state is None:
            state = self._walk(np.zeros(_WIDTH, dtype=np.float32), half)
            self._prefixes[half] = state
            if len(self._prefixes) > _CACHED_PREFIXES:
                self._prefixes.popitem(last=False)
        return self._walk(state, prompt[len(half) :]), known

    def _walk(self, state: NDArray[np.float32], tokens: bytes) -> NDArray[np.float32]:
        for token in tokens:
            state = np.tanh(state @ self._recurrent + self._embedding[token])
        return state
