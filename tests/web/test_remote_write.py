from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import httpx
import pytest

from sanso.model.errors import DecodeError
from sanso.model.labels import series_of
from sanso.sources.remote_write import Written
from sanso.sources.remote_write_schema import request_class
from sanso.web.cross_origin import CrossOrigin
from sanso.web.remote_write import Said, WriteDoor
from tests.sources.remote_write_requests import packed
from tests.sources.test_remote_write import v1, v2
from tests.web.hosted import START, hosted

GOOD = series_of("pushed", a="b")
HEADERS = {"content-encoding": "snappy", "content-type": "application/x-protobuf"}
KINDS = ("Samples", "Histograms", "Exemplars")
V2_TYPE = "application/x-protobuf;proto=io.prometheus.write.v2.Request"


@pytest.mark.parametrize(
    ("headers", "body", "status", "said"),
    [
        (HEADERS, packed(v1([(GOOD, [(START, 1.0)])])), 204, ""),
        ({**HEADERS, "content-type": V2_TYPE}, packed(v2([(GOOD, [(START, 1.0)])])), 204, ""),
        (HEADERS, packed(v1([((("a", "b"),), [(START, 1.0)]), (GOOD, [(START, 1.0)])])), 400, "no metric name"),
        (HEADERS, b"", 400, "the body is empty"),
        (HEADERS, b"\x05nonsense", 400, "not snappy"),
        (HEADERS, b"\xff\x06\x00\x00sNaPpY\x01\x00", 400, "send the block format"),
        ({"user-agent": "old"}, packed(v1([(GOOD, [(START, 1.0)])])), 204, ""),
        ({**HEADERS, "content-type": "text/plain"}, b"", 415, "application/x-protobuf"),
        ({**HEADERS, "content-type": "application/x-protobuf;proto=other.Message"}, b"", 415, "1.0 or 2.0"),
        ({**HEADERS, "content-encoding": "gzip"}, b"", 415, "send snappy"),
    ],
)
def test_statuses(headers: dict[str, str], body: bytes, status: int, said: str) -> None:
    with hosted() as (_, url):
        answer = httpx.post(f"{url}/api/v1/write", content=body, headers=headers)
        assert answer.status_code == status
        assert said in answer.text
        if status == 204:
            assert [answer.headers[f"X-Prometheus-Remote-Write-{kind}-Written"] for kind in KINDS] == ["1", "0", "0"]
        found = httpx.get(f"{url}/api/v1/query", params={"query": "pushed", "time": str(START / 1000)}).json()
        kept = status == 204 or "no metric name" in said
        assert len(found["data"]["result"]) == int(kept)


async def asked(door: WriteDoor, bodies: list[bytes]) -> tuple[int, dict[str, str]]:
    """A request whose body comes in these parts."""
    answer: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
    writing = door.begin("POST", [], "127.0.0.1")
    for body in bodies:
        writing.add(body)
    writing.end(answer.set_result)
    said = await answer
    return said.status, {name.decode(): value.decode() for name, value in said.headers}


def test_what_waits_is_bounded_by_its_bytes_and_taken_together() -> None:
    began, go_on = threading.Event(), threading.Event()
    turns: list[int] = []

    def receive_all(requests: Sequence[tuple[bytes, str]]) -> list[Written | DecodeError]:
        turns.append(len(requests))
        began.set()
        assert go_on.wait(10)
        return [Written(1) for _ in requests]

    async def crowd() -> list[int]:
        door = WriteDoor(receive_all, CrossOrigin(frozenset()), most_bytes=1000)
        first = asyncio.create_task(asked(door, [b"x" * 200]))
        assert await asyncio.to_thread(began.wait, 10)
        waiting = [asyncio.create_task(asked(door, [b"x" * 100, b"x" * 100])) for _ in range(4)]
        await asyncio.sleep(0.01)
        status, headers = await asked(door, [b"x"])
        assert (status, headers["retry-after"]) == (429, "1")
        go_on.set()
        statuses = [(await task)[0] for task in (first, *waiting)]
        return [*statuses, (await asked(door, [b"x"]))[0]]

    assert asyncio.run(crowd()) == [204] * 6
    assert turns == [1, 4, 1]


def test_an_error_of_ours_is_told_to_all_who_wait_and_the_next_are_served(caplog: pytest.LogCaptureFixture) -> None:
    turns: list[int] = []

    def receive_all(requests: Sequence[tuple[bytes, str]]) -> list[Written | DecodeError]:
        turns.append(len(requests))
        if len(turns) == 1:
            raise ZeroDivisionError
        return [Written(1) for _ in requests]

    async def both() -> int:
        door = WriteDoor(receive_all, CrossOrigin(frozenset()))
        assert (await asked(door, [b"x"]))[0] == 500
        return (await asked(door, [b"x"]))[0]

    assert asyncio.run(both()) == 204
    assert "ZeroDivisionError" in caplog.text


def test_what_is_not_on_disk_is_not_acknowledged() -> None:
    door = WriteDoor(lambda requests: [Written(1, durable=False) for _ in requests], CrossOrigin(frozenset()))
    status, headers = asyncio.run(asked(door, [b"x"]))
    assert (status, headers["retry-after"]) == (503, "5")


def test_exemplars_are_found_again() -> None:
    with hosted() as (_, url):
        request = request_class("v1")()
        series = request.timeseries.add()
        series.labels.add(name="__name__", value="pushed_total")
        series.samples.add(value=1.0, timestamp=START)
        series.exemplars.add(value=0.5, timestamp=START).labels.add(name="trace_id", value="1f")
        answer = httpx.post(f"{url}/api/v1/write", content=packed(request.SerializeToString()), headers=HEADERS)
        assert answer.headers["X-Prometheus-Remote-Write-Exemplars-Written"] == "1"
        query = {"query": "rate(pushed_total[1m])", "start": str(START / 1000 - 1), "end": str(START / 1000 + 1)}
        (found,) = httpx.get(f"{url}/api/v1/query_exemplars", params=query).json()["data"]
        assert found["seriesLabels"] == {"__name__": "pushed_total"}
        assert [each["labels"] for each in found["exemplars"]] == [{"trace_id": "1f"}]


def test_short_turns_are_taken_without_a_thread_until_one_takes_long() -> None:
    where: list[str] = []
    pause = threading.Event()

    def receive_all(requests: Sequence[tuple[bytes, str]]) -> list[Written | DecodeError]:
        where.append(threading.current_thread().name)
        if requests[0][0] == b"slow":
            pause.wait(0.05)
        if requests[0][0] == b"wrong":
            raise ZeroDivisionError
        return [Written(1) for _ in requests]

    async def several() -> None:
        door = WriteDoor(receive_all, CrossOrigin(frozenset()))
        for body in (b"x", b"x", b"slow", b"x", b"x"):
            assert (await asked(door, [body]))[0] == 204
        assert (await asked(door, [b"wrong"]))[0] == 500
        assert (await asked(door, [b"x"]))[0] == 204

    asyncio.run(several())
    main = threading.current_thread().name
    assert where == ["sanso-write", main, main, "sanso-write", main, main, main]
