"""Prometheus's HTTP API: which function answers at which path."""

from __future__ import annotations

from sanso.web import admin_api, features, names, pages, queries, remote_read, rules_api, status_api, targets_api
from sanso.web.door import ASK, CHANGE, READ, Endpoint

LABEL_VALUES = Endpoint(names.label_values)

ENDPOINTS: dict[str, Endpoint] = {
    "/metrics": Endpoint(pages.metrics),
    "/federate": Endpoint(pages.federate),
    "/-/reload": Endpoint(targets_api.reload, CHANGE),
    **{
        f"/api/v1/{path}": endpoint
        for path, endpoint in {
            "query": Endpoint(queries.query, ASK, often_short=True),
            "query_range": Endpoint(queries.query_range, ASK),
            "query_exemplars": Endpoint(queries.query_exemplars, ASK, at_once=True),
            "format_query": Endpoint(queries.format_query, ASK, at_once=True),
            "parse_query": Endpoint(queries.parse_query, ASK, at_once=True),
            "series": Endpoint(names.series, ASK),
            "labels": Endpoint(names.label_names, ASK),
            "metadata": Endpoint(names.metadata, READ),
            "targets": Endpoint(targets_api.targets, READ),
            "targets/metadata": Endpoint(targets_api.metadata, READ),
            "scrape_pools": Endpoint(targets_api.scrape_pools, READ, at_once=True),
            "rules": Endpoint(rules_api.rules, READ),
            "alerts": Endpoint(rules_api.alerts, READ),
            "alertmanagers": Endpoint(rules_api.alertmanagers, READ, at_once=True),
            "status/buildinfo": Endpoint(status_api.build_info, READ, at_once=True),
            "status/runtimeinfo": Endpoint(status_api.runtime_info, READ),
            "status/tsdb": Endpoint(status_api.store_info, READ),
            "status/flags": Endpoint(status_api.flags, READ, at_once=True),
            "status/config": Endpoint(status_api.config, READ, at_once=True),
            "status/tsdb/blocks": Endpoint(status_api.blocks, READ, at_once=True),
            "notifications": Endpoint(status_api.notifications, READ, at_once=True),
            "features": Endpoint(features.features, READ, at_once=True),
            "status/walreplay": Endpoint(status_api.replay, READ, at_once=True),
            "read": Endpoint(remote_read.remote_read, frozenset({"POST"})),
            "admin/tsdb/delete_series": Endpoint(admin_api.delete_series, CHANGE),
            "admin/tsdb/clean_tombstones": Endpoint(admin_api.clean_tombstones, CHANGE),
            "admin/tsdb/snapshot": Endpoint(admin_api.snapshot, CHANGE),
        }.items()
    },
}
