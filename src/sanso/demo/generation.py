"""Token generation in the demo, measured with the sdk: by a llama.cpp server where it is installed, else by numpy."""

from __future__ import annotations

import importlib.util
import json
import urllib.request
from collections.abc import Callable
from http.client import HTTPResponse
from pathlib import Path
from typing import Protocol

import numpy as np

from sanso.demo.tiny_model import TinyModel
from sanso.sdk import Telemetry
from sanso.sdk.inference import Inference

_SUBJECTS = (b"quarterly report ", b"incident review ", b"customer letter ", b"research notes ")


class Generator(Protocol):
    """Generates one answer (or a batch of them) under the sdk's eyes."""

    def generate(self, random: np.random.Generator, progress: Callable[[], None]) -> None:
        """Answer; `progress` is called as tokens come."""
        ...

    def evaluate(self, random: np.random.Generator) -> None:
        """Score the model against its reference, where it has one."""
        ...

    def spoil(self, *, spoilt: bool) -> None:
        """Make the model worse, or as it was: an injected fault."""
        ...


def best_generator(telemetry: Telemetry, folder: Path) -> Generator:
    """llama.cpp where the extra `demo` is installed, else numpy."""
    if importlib.util.find_spec("xllamacpp") and importlib.util.find_spec("gguf"):
        return LlamaGenerator(telemetry, folder)
    return NumpyGenerator(telemetry)


class NumpyGenerator:
    """Batches of prompts through the tiny model."""

    name = "tiny-rnn"

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._model = TinyModel()
        self._levels = 4096

    def generate(self, random: np.random.Generator, progress: Callable[[], None]) -> None:
        """One batch of prompts that share their beginnings, as prompts of one application do."""
        size = int(random.integers(2, self._model.batch_limit + 1))
        subject = _SUBJECTS[int(random.integers(len(_SUBJECTS)))] * 6
        prompts = [subject + random.bytes(len(subject)) for _ in range(size)]
        count = int(random.integers(24, 160))
        with self._telemetry.inference(
            model=self.name,
            provider="numpy",
            context_window=self._model.context_window,
            batch_limit=self._model.batch_limit,
        ) as call:
            call.batch(size)
            cached, steps = self._model.generate(prompts, count)
            for number, _ in enumerate(steps):
                if number == 0:
                    call.first_token()
                if number % 16 == 0:
                    progress()
            call.tokens(input=sum(map(len, prompts)) // size, output=count, cached=cached // size)

    def evaluate(self, random: np.random.Generator) -> None:
        """Agreement of the weights in use with the original ones."""
        self._telemetry.evaluation(self.name, score=self._model.agreement(256, random))

    def spoil(self, *, spoilt: bool) -> None:
        """Quantise harder."""
        levels = 12 if spoilt else 4096
        if levels != self._levels:
            self._levels = levels
            self._model.quantise(levels)


class LlamaGenerator:
    """A real llama.cpp server on a tiny model of random weights, asked over its OpenAI API."""

    name = "tiny-llama"

    def __init__(self, telemetry: Telemetry, folder: Path) -> None:
        from sanso.demo.llama import CONTEXT, SLOTS, start_server

        self._telemetry = telemetry
        self._context, self._slots = CONTEXT, SLOTS
        self._server = start_server(folder / "tiny.gguf")
        self._scorer = NumpyGenerator(telemetry)

    def generate(self, random: np.random.Generator, progress: Callable[[], None]) -> None:
        """One streamed completion."""
        subject = _SUBJECTS[int(random.integers(len(_SUBJECTS)))].decode() * 8
        body = {
            "prompt": f"{subject}{random.integers(1000)}",
            "max_tokens": int(random.integers(32, 200)),
            "ignore_eos": True,
            "stream": True,
            "stream_options": {"include_usage": True},
            "cache_prompt": True,
        }
        request = urllib.request.Request(
            f"{self._server.listening_address}/v1/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with (
            self._telemetry.inference(
                model=self.name, provider="llama.cpp", context_window=self._context, batch_limit=self._slots
            ) as call,
            urllib.request.urlopen(request, timeout=60) as answer,
        ):
            call.batch(1)
            self._follow(answer, call, progress)

    def evaluate(self, random: np.random.Generator) -> None:
        """A random model has no truth to be held against: the numpy model is scored."""
        self._scorer.evaluate(random)

    def spoil(self, *, spoilt: bool) -> None:
        """Of the numpy model."""
        self._scorer.spoil(spoilt=spoilt)

    @staticmethod
    def _follow(answer: HTTPResponse, call: Inference, progress: Callable[[], None]) -> None:
        """Read the event stream: the first chunk is the first token, the last one the usage."""
        chunks = 0
        for line in answer:
            if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
                continue
            event = json.loads(line[6:])
            if event.get("usage"):
                usage = event["usage"]
                cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
                call.tokens(input=usage["prompt_tokens"], output=usage["completion_tokens"], cached=cached)
            if chunks == 0:
                call.first_token()
            if chunks % 16 == 0:
                progress()
            chunks += 1
