"""One call of a model: time to the first token, time per token, tokens, context and batch use, errors."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from sanso.sdk.registry import Registry
from sanso.sdk.tasks import outcome_of


class ModelSeries:
    """The series of one model, provider and operation; counters are made at once, so that each counts from zero."""

    def __init__(self, registry: Registry, model: str, provider: str, operation: str) -> None:
        self._registry = registry
        self._labels = {
            "gen_ai_request_model": model,
            "gen_ai_provider_name": provider,
            "gen_ai_operation_name": operation,
        }
        self.time_to_first_token = registry.histogram("gen_ai_server_time_to_first_token_seconds", self._labels)
        self.time_per_output_token = registry.histogram("gen_ai_server_time_per_output_token_seconds", self._labels)
        self.duration = registry.histogram("gen_ai_server_request_duration_seconds", self._labels)
        usage = "gen_ai_client_inference_usage_"
        self.input_tokens = registry.counter(f"{usage}input_tokens_total", self._labels)
        self.output_tokens = registry.counter(f"{usage}output_tokens_total", self._labels)
        self.cached_tokens = registry.counter(f"{usage}cache_read_input_tokens_total", self._labels)
        self.errors = registry.counter("sanso_inference_errors_total", self._labels)
        self._model = {"gen_ai_request_model": model}

    def record_duration(self, seconds: float, error_type: str) -> None:
        """How long the call took, and what it failed with."""
        if not error_type:
            self.duration.record(seconds)
            return
        labels = {**self._labels, "error_type": error_type}
        self._registry.histogram("gen_ai_server_request_duration_seconds", labels).record(seconds)

    def record_context(self, ratio: float) -> None:
        """The share of the context window that the call used."""
        self._registry.histogram("sanso_inference_context_usage_ratio", self._model).record(ratio)

    def record_fill(self, ratio: float) -> None:
        """The share of the batch that was filled."""
        self._registry.histogram("sanso_inference_batch_fill_ratio", self._model).record(ratio)


class Inference:
    """Measures one call, as `with` or `async with`; every sign inside is optional.

    What is not said is not measured: without `tokens` or `token` there are no token counts, without a context window
    no context use.
    """

    def __init__(
        self, series: ModelSeries, context_window: int | None, batch_limit: int | None, epoch: Callable[[], int]
    ) -> None:
        self._series = series
        self._context_window = context_window
        self._batch_limit = batch_limit
        self._epoch = epoch
        self._begun_in = epoch()
        self._started = time.perf_counter()
        self._first: float | None = None
        self._last: float | None = None
        self._counted = 0
        self._input: int | None = None
        self._output: int | None = None

    def first_token(self) -> None:
        """The first token is here; later calls change nothing."""
        if self._first is None:
            self._first = time.perf_counter()
            self._series.time_to_first_token.record(self._first - self._started)

    def token(self, n: int = 1) -> None:
        """So many more tokens are here; the first call stands for `first_token` too."""
        self.first_token()
        self._last = time.perf_counter()
        self._counted += n

    def tokens(self, *, input: int | None = None, output: int | None = None, cached: int | None = None) -> None:  # noqa: A002
        """What the call used, as the model reports it; `cached` is the part of the prompt read from cache."""
        series = self._series
        if input is not None:
            self._input = (self._input or 0) + input
            series.input_tokens.add(input)
        if output is not None:
            self._output = (self._output or 0) + output
            series.output_tokens.add(output)
        if cached is not None:
            series.cached_tokens.add(cached)

    def batch(self, size: int) -> None:
        """The call was computed together with others, `size` in all."""
        if self._batch_limit:
            self._series.record_fill(size / self._batch_limit)

    def __enter__(self) -> Inference:
        self._begun_in = self._epoch()
        self._started = time.perf_counter()
        return self

    def __exit__(
        self, error: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._begun_in != self._epoch():  # forked in between: the call is the parent's to count
            return
        ended = time.perf_counter()
        self._series.record_duration(ended - self._started, error.__name__ if error else "")
        if outcome_of(error) in ("failed", "timed_out"):
            self._series.errors.add(1)
        self._finish_tokens(ended)

    async def __aenter__(self) -> Inference:
        return self.__enter__()

    async def __aexit__(
        self, error: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(error, value, traceback)

    def _finish_tokens(self, ended: float) -> None:
        output = self._output
        if output is None and self._counted:
            output = self._counted
            self._series.output_tokens.add(output)
        if output is not None and output > 1 and self._first is not None:
            self._series.time_per_output_token.record(((self._last or ended) - self._first) / (output - 1))
        if self._context_window and (self._input is not None or output is not None):
            self._series.record_context(((self._input or 0) + (output or 0)) / self._context_window)
