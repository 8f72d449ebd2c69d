"""Inferences: time to first token, time per token, tokens, context, cache, batch."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sanso.sdk.telemetry import Telemetry


class Inference:
    """One call of a model, as context manager (sync or async); recorded under OpenTelemetry's GenAI names."""

    def __init__(
        self,
        telemetry: Telemetry,
        model: str,
        provider: str,
        *,
        operation: str,
        context_window: int | None,
        batch_limit: int | None,
    ) -> None:
        self._telemetry = telemetry
        self._model = {"gen_ai_request_model": model}
        self._about = {**self._model, "gen_ai_provider_name": provider, "gen_ai_operation_name": operation}
        self._context_window = context_window
        self._batch_limit = batch_limit
        self._started = time.perf_counter()
        self._first: float | None = None
        self._output = 0

    def __enter__(self) -> Inference:
        self._started = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        now = time.perf_counter()
        labels = dict(self._about)
        if kind is not None:
            labels["error_type"] = kind.__name__
            self._telemetry.counter("sanso_inference_errors_total", **labels).add(1)
        self._record("gen_ai_server_request_duration_seconds", now - self._started, labels)
        if self._first is not None and self._output > 1:
            per_token = (now - self._first) / (self._output - 1)
            self._record("gen_ai_server_time_per_output_token_seconds", per_token, self._about)

    async def __aenter__(self) -> Inference:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def first_token(self) -> None:
        """The first token is here; only the first call counts."""
        if self._first is None:
            self._first = time.perf_counter()
            self._record("gen_ai_server_time_to_first_token_seconds", self._first - self._started, self._about)

    def tokens(self, input: int = 0, output: int = 0, cached: int = 0) -> None:  # noqa: A002 - the contract's name
        """Tokens read (cached ones included), written, and read from a cache; calls add up."""
        prefix = "gen_ai_client_inference_usage"
        for part, amount in (("input", input), ("output", output), ("cache_read_input", cached)):
            self._telemetry.counter(f"{prefix}_{part}_tokens_total", **self._about).add(amount)
        self._output += output
        if self._context_window:
            self._record("sanso_inference_context_usage_ratio", (input + output) / self._context_window, self._model)

    def batch(self, size: int, limit: int | None = None) -> None:
        """How many prompts went together, of how many that could."""
        most = limit or self._batch_limit
        if most:
            self._record("sanso_inference_batch_fill_ratio", size / most, self._model)

    def _record(self, name: str, value: float, labels: dict[str, str]) -> None:
        self._telemetry.histogram(name, **labels).record(value)
