from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from sanso.cli.services import StoreAdmin
from sanso.model.clock import FixedClock
from sanso.model.frame import Columns, Row
from sanso.model.labels import series_of
from sanso.store.store import Store
from tests.web.hosted import START, hosted


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    held = Store.open(tmp_path, retention_ms=10**13)
    columns = Columns((series_of("a"), series_of("b")))
    for i in range(5):
        held.append("f", START + i * 1000, Row(columns, np.array([1.0, 2.0])))
    held.commit()
    yield held
    held.close()


@pytest.fixture
def api(store: Store, tmp_path: Path) -> Iterator[httpx.Client]:
    admin = StoreAdmin(store, tmp_path, FixedClock(START + 123))
    with hosted(admin=admin, reader=store) as (_, url), httpx.Client(base_url=f"{url}/api/v1") as client:
        yield client


def test_series_are_deleted_between_two_times(api: httpx.Client, store: Store) -> None:
    deleted = api.post("/admin/tsdb/delete_series", params={"match[]": "a", "end": START / 1000 + 2})
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert api.put("/admin/tsdb/clean_tombstones").status_code == 204
    (frame,) = [f for f in store.select([], START, START + 9000) if series_of("a") in f.labels]
    values = frame.values[frame.labels.index(series_of("a"))]
    assert np.isnan(values[:3]).all()
    assert values[3:].tolist() == [1.0, 1.0]


def test_a_snapshot_is_a_store(api: httpx.Client, tmp_path: Path) -> None:
    name = api.post("/admin/tsdb/snapshot").json()["data"]["name"]
    assert name == "20260921T141320.123Z"
    assert (tmp_path / "snapshots" / name).read_bytes().startswith(b"SQLite format 3")
    again = api.post("/admin/tsdb/snapshot")  # the clock stands still: the name is taken
    assert (again.status_code, again.json()["errorType"]) == (500, "internal")


def test_wrong_selectors(api: httpx.Client) -> None:
    assert api.post("/admin/tsdb/delete_series").json()["error"] == "no match[] parameter provided"
    assert api.post("/admin/tsdb/delete_series", params={"match[]": "{}"}).status_code == 400
    assert api.get("/admin/tsdb/delete_series").status_code == 405


@pytest.mark.parametrize("path", ["delete_series?match[]=up", "clean_tombstones", "snapshot"])
def test_it_is_off_unless_asked_for(path: str) -> None:
    with hosted() as (_, url):
        answer = httpx.post(f"{url}/api/v1/admin/tsdb/{path}")
        assert (answer.status_code, answer.json()["errorType"]) == (500, "unavailable")
        assert answer.json()["error"] == "admin APIs disabled"
