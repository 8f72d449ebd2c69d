"""OTLP metrics in: requests decoded and written as rows, one frame a resource."""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from dataclasses import dataclass
from typing import Any

from sanso.model.clock import Clock
from sanso.model.errors import DecodeError
from sanso.model.frame import Family
from sanso.model.series import RowWriter
from sanso.sources.otlp_points import Batch
from sanso.sources.otlp_resource import ResourceMemory, pairs, resource_memory

PROTOBUF, JSON = "application/x-protobuf", "application/json"
_MOST_BYTES = 64 << 20
"""A request that unpacks to more is a bomb, or a mistake."""
_FORGET_S = 3_600.0
_SWEEP_S = 300.0
_MOST_RESOURCES = 10_000


@dataclass(frozen=True)
class OtlpResult:
    """What came of a request: an ExportMetricsServiceResponse in the request's own encoding."""

    response_body: bytes
    content_type: str
    rejected: int = 0
    message: str = ""


class OtlpReceiver:
    """Takes ExportMetricsServiceRequests; several threads may call it.

    Args:
        writer: Where rows go; each request is committed before it is answered.
        clock: For points without a time.
    """

    def __init__(self, writer: RowWriter, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock
        self._resources: dict[bytes, ResourceMemory] = {}
        self._families: dict[str, Family] = {}
        self._swept_s = clock.monotonic()
        self._lock = threading.Lock()

    def receive(self, body: bytes, *, content_type: str, content_encoding: str = "") -> OtlpResult:
        """Decode a request and write it.

        Raises:
            DecodeError: It is not an OTLP metrics request.
        """
        kind = content_type.partition(";")[0].strip().lower()
        request = _parsed(_unpacked(body, content_encoding.strip().lower()), kind)
        with self._lock:
            self._forget()
            rejected = sum(self._take(resource) for resource in request.resource_metrics)
            self._writer.commit()
        message = (
            f"{rejected} data points rejected: incomplete, too many series, too far ahead, or older than what is held"
            if rejected
            else ""
        )
        return OtlpResult(_response(kind, rejected, message), kind, rejected, message)

    def _take(self, given: Any) -> int:
        now = self._clock.now_ms()
        key = given.resource.SerializeToString(deterministic=True)
        memory = self._resources.get(key)
        if memory is None:
            if len(self._resources) >= _MOST_RESOURCES:
                return sum(_count(metric) for scope in given.scope_metrics for metric in scope.metrics)
            memory = self._resources[key] = resource_memory(pairs(given.resource.attributes))
        memory.seen_s = self._clock.monotonic()
        batch = Batch(memory, now)
        for scope in given.scope_metrics:
            for metric in scope.metrics:
                batch.add(metric)
        self._describe(batch)
        return batch.write(self._writer)

    def _describe(self, batch: Batch) -> None:
        fresh = [family for name, family in batch.families.items() if self._families.get(name) != family]
        if fresh:
            self._families.update({family.name: family for family in fresh})
            self._writer.describe(fresh)

    def _forget(self) -> None:
        now = self._clock.monotonic()
        if now - self._swept_s < _SWEEP_S:
            return
        self._swept_s = now
        for key, memory in list(self._resources.items()):
            if now - memory.seen_s > _FORGET_S:
                del self._resources[key]
            else:
                memory.forget(now - _FORGET_S)
        names = {name for memory in self._resources.values() for name, _ in memory.points}
        self._families = {name: family for name, family in self._families.items() if name in names}


def _count(metric: Any) -> int:
    kind = metric.WhichOneof("data")
    return len(getattr(metric, kind).data_points) if kind else 0


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "deflate"):
        raise DecodeError(f"content encoding {encoding!r} is not known: send gzip, deflate or none")
    try:
        engine = zlib.decompressobj(wbits=31 if encoding == "gzip" else 15)
        unpacked = engine.decompress(body, _MOST_BYTES)
    except (zlib.error, gzip.BadGzipFile) as error:
        raise DecodeError(f"the body is not {encoding}: {error}") from error
    if engine.unconsumed_tail or not engine.eof:
        raise DecodeError(f"the body is cut short, or unpacks to more than {_MOST_BYTES >> 20} MiB")
    return unpacked


def _parsed(body: bytes, kind: str) -> Any:
    from google.protobuf.json_format import ParseDict, ParseError
    from google.protobuf.message import DecodeError as ProtobufError
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    request = ExportMetricsServiceRequest()
    try:
        if kind == PROTOBUF:
            request.ParseFromString(body)
        elif kind == JSON:
            tree = json.loads(body)
            if not isinstance(tree, dict):
                raise DecodeError("not an OTLP metrics request: a JSON object is expected")
            ParseDict(_without_exemplars(tree), request, ignore_unknown_fields=True)
        else:
            raise DecodeError(f"content type {kind!r} is not known: send {PROTOBUF} or {JSON}")
    except (ProtobufError, ParseError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise DecodeError(f"not an OTLP metrics request: {error}") from error
    return request


def _without_exemplars(tree: Any) -> Any:
    """Exemplars carry ids in hexadecimal, which protobuf's JSON does not know; nothing here needs them."""
    if isinstance(tree, dict):
        return {key: _without_exemplars(value) for key, value in tree.items() if key != "exemplars"}
    return [_without_exemplars(item) for item in tree] if isinstance(tree, list) else tree


def _response(kind: str, rejected: int, message: str) -> bytes:
    from google.protobuf.json_format import MessageToJson
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

    response = ExportMetricsServiceResponse()
    if rejected:
        response.partial_success.rejected_data_points = rejected
        response.partial_success.error_message = message
    return MessageToJson(response).encode() if kind == JSON else response.SerializeToString()
