"""One call of a model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from sanso.sdk.inference import Inference, ModelSeries
from sanso.sdk.registry import Registry
from sanso.sdk.sketch import Sketch

BASE = {"gen_ai_request_model": "m", "gen_ai_provider_name": "p", "gen_ai_operation_name": "chat"}


class Model:
    def __init__(self) -> None:
        self.registry = Registry(lambda: 1)
        self.series = ModelSeries(self.registry, "m", "p", "chat")

    def call(self, window: int | None = None, limit: int | None = None) -> Inference:
        return Inference(self.series, window, limit, lambda: self.registry.epoch)

    def values(self, name: str) -> dict[tuple[str, ...], float | Sketch]:
        """By the values of the labels that not every series has."""
        self.registry.fold()
        found: dict[tuple[str, ...], float | Sketch] = {}
        for metric in self.registry.metrics():
            for point in metric.points if metric.name == name else []:
                found[tuple(value for key, value in point.labels if key not in BASE)] = point.value
        return found

    def number(self, name: str) -> float:
        value = self.values(name)[()]
        return value.count if isinstance(value, Sketch) else value

    def sketch(self, name: str) -> Sketch:
        value = self.values(name)[()]
        assert isinstance(value, Sketch)
        return value


@pytest.fixture
def model() -> Model:
    return Model()


USAGE = "gen_ai_client_inference_usage_"


def test_a_call(model: Model) -> None:
    with model.call(window=1000, limit=8) as call:
        call.batch(6)
        call.first_token()
        call.first_token()
        call.tokens(input=12, output=340, cached=8)
    assert model.number("gen_ai_server_time_to_first_token_seconds") == 1
    assert model.number("gen_ai_server_time_per_output_token_seconds") == 1
    assert model.number("gen_ai_server_request_duration_seconds") == 1
    assert model.number(f"{USAGE}input_tokens_total") == 12
    assert model.number(f"{USAGE}output_tokens_total") == 340
    assert model.number(f"{USAGE}cache_read_input_tokens_total") == 8
    assert model.sketch("sanso_inference_context_usage_ratio").sum == pytest.approx(0.352)
    assert model.sketch("sanso_inference_batch_fill_ratio").sum == 0.75
    assert model.number("sanso_inference_errors_total") == 0


def test_series_carry_the_names_of_the_conventions(model: Model) -> None:
    model.series.duration.record(1)
    (labels,) = {
        point.labels
        for metric in model.registry.metrics()
        if metric.name == "gen_ai_server_request_duration_seconds"
        for point in metric.points
    }
    assert dict(labels) == BASE


def test_what_is_not_said_is_not_measured(model: Model) -> None:
    with model.call() as call:
        call.batch(3)
    assert model.number("gen_ai_server_request_duration_seconds") == 1
    assert model.number("gen_ai_server_time_to_first_token_seconds") == 0
    assert model.values("sanso_inference_context_usage_ratio") == {}
    assert model.values("sanso_inference_batch_fill_ratio") == {}


def test_tokens_may_be_told_one_by_one(model: Model) -> None:
    with model.call(window=10) as call:
        call.token()
        call.token(2)
        call.token()
    assert model.number(f"{USAGE}output_tokens_total") == 4
    assert model.number("gen_ai_server_time_to_first_token_seconds") == 1
    assert model.number("gen_ai_server_time_per_output_token_seconds") == 1
    assert model.sketch("sanso_inference_context_usage_ratio").sum == 0.4


def test_what_the_model_reports_wins_over_tokens_told_one_by_one(model: Model) -> None:
    with model.call() as call:
        call.token()
        call.tokens(output=3)
    assert model.number(f"{USAGE}output_tokens_total") == 3


@pytest.mark.parametrize(("error", "errors"), [(ValueError, 1), (TimeoutError, 1), (asyncio.CancelledError, 0)])
def test_an_error_is_named_on_the_duration(model: Model, error: type[BaseException], errors: int) -> None:
    with pytest.raises(error), model.call():
        raise error
    durations = model.values("gen_ai_server_request_duration_seconds")
    assert {key: value.count for key, value in durations.items() if isinstance(value, Sketch)} == {
        (): 0,
        (error.__name__,): 1,
    }
    assert model.number("sanso_inference_errors_total") == errors


async def test_an_async_call(model: Model) -> None:
    async with model.call() as call:
        await asyncio.sleep(0.02)
        call.first_token()
    assert model.sketch("gen_ai_server_time_to_first_token_seconds").minimum >= 0.015


def test_a_call_that_was_begun_before_a_fork_is_the_parents(model: Model) -> None:
    begin: Callable[[], Inference] = model.call
    with begin():
        model.registry.reset()
    assert model.number("gen_ai_server_request_duration_seconds") == 0
