"""What of Prometheus's features this server has: `features`, under Prometheus's names."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.responses import Response

from sanso.promql.functions.evaluation import known_functions
from sanso.web.answers import success
from sanso.web.door import Asked
from sanso.web.services import Services

_API = (
    "exclude_alerts", "label_values_match", "otlp_write_receiver", "query_stats", "query_warnings",
    "remote_write_receiver", "time_range_labels", "time_range_series",
)  # fmt: skip
_PROMQL = (
    "at_modifier", "bool", "by", "fill", "fill_left", "fill_right", "group_left", "group_right", "ignoring",
    "negative_offset", "offset", "on", "per_query_lookback_delta", "subqueries", "without",
)  # fmt: skip
_NOT_IN_PROMQL = ("anchored", "delayed_name_removal", "duration_expr", "smoothed", "type_and_unit_labels")
_NO_FUNCTIONS = ("integral", "start_timestamp")
_OPERATORS = (
    "!=", "!~", "%", "*", "+", "-", "/", "<", "<=", "==", "=~", ">", ">=", "@", "^", "and", "atan2", "avg", "bottomk",
    "count", "count_values", "group", "limit_ratio", "limitk", "max", "min", "or", "quantile", "stddev", "stdvar",
    "sum", "topk", "unless",
)  # fmt: skip


def features(services: Services, _: Asked) -> Response:
    """By category, what there is and what there is not."""
    found = {
        "api": _named(_API, ("query_cost", "search")) | {"admin": services.admin is not None},
        "prometheus": _named(("server_mode",), ("agent_mode", "auto_reload_config")),
        "promql": _named(_PROMQL, _NOT_IN_PROMQL),
        "promql_functions": _named(known_functions(), _NO_FUNCTIONS),
        "promql_operators": _named(_OPERATORS, ("</", ">/")),
        "rules": _named((), ("concurrent_rule_eval", "keep_firing_for", "query_offset")),
        "scrape": _named(("extra_scrape_metrics",), ("start_timestamp_zero_ingestion", "type_and_unit_labels")),
        "service_discovery_providers": _named(("file", "http", "static"), ()),
        "tsdb": _named(("exemplar_storage", "native_histograms"), ()),
    }
    return success({category: dict(sorted(names.items())) for category, names in found.items()})


def _named(there: Iterable[str], missing: Iterable[str]) -> dict[str, bool]:
    return {**dict.fromkeys(there, True), **dict.fromkeys(missing, False)}
