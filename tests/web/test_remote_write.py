from __future__ import annotations

import httpx
import pytest

from sanso.model.labels import series_of
from tests.sources.test_remote_write import packed, v1, v2
from tests.web.hosted import START, hosted

GOOD = series_of("pushed", a="b")
HEADERS = {"content-encoding": "snappy", "content-type": "application/x-protobuf"}
V2_TYPE = "application/x-protobuf;proto=io.prometheus.write.v2.Request"


@pytest.mark.parametrize(
    ("headers", "body", "status", "said"),
    [
        (HEADERS, packed(v1([(GOOD, [(START, 1.0)])])), 204, ""),
        ({**HEADERS, "content-type": V2_TYPE}, packed(v2([(GOOD, [(START, 1.0)])])), 204, ""),
        (HEADERS, packed(v1([((("a", "b"),), [(START, 1.0)]), (GOOD, [(START, 1.0)])])), 400, "no metric name"),
        (HEADERS, b"\x05nonsense", 400, "not snappy"),
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
        if "v2.Request" in headers["content-type"]:
            assert answer.headers["X-Prometheus-Remote-Write-Samples-Written"] == "1"
        found = httpx.get(f"{url}/api/v1/query", params={"query": "pushed", "time": str(START / 1000)}).json()
        kept = status == 204 or "no metric name" in said
        assert len(found["data"]["result"]) == int(kept)
