"""The bytes of an OTLP/HTTP request and response: content encodings, protobuf and JSON."""

from __future__ import annotations

import json
import zlib

from sanso.model.errors import DecodeError

MOST_BYTES = 64 * 1024 * 1024
"""What a compressed body may grow to."""

_PROTOBUF = "application/x-protobuf"
_JSON = "application/json"


def decompress(body: bytes, content_encoding: str, most_bytes: int = MOST_BYTES) -> bytes:
    """The body without its content encoding.

    Raises:
        DecodeError: The encoding is unknown, the data is broken or it grows beyond `most_bytes`.
    """
    encoding = content_encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding == "gzip":
        return _inflate(body, 16 + zlib.MAX_WBITS, most_bytes)
    if encoding == "deflate":
        # RFC 9110 says zlib; some clients send the bare stream. The low nibble of a zlib header is always 8.
        bare = not body or body[0] & 0x0F != 8
        return _inflate(body, -zlib.MAX_WBITS if bare else zlib.MAX_WBITS, most_bytes)
    raise DecodeError(f'content encoding "{content_encoding}" is not supported: send gzip, deflate or none')


def _inflate(body: bytes, window: int, most_bytes: int) -> bytes:
    parts = []
    size = 0
    rest = body
    while True:
        stream = zlib.decompressobj(window)
        try:
            part = stream.decompress(rest, most_bytes - size + 1)
        except zlib.error as error:
            raise DecodeError(f"the compressed body is broken: {error}") from error
        size += len(part)
        if size > most_bytes:
            raise DecodeError(f"the body grows beyond {most_bytes} bytes: send smaller batches")
        parts.append(part)
        if not stream.eof:
            raise DecodeError("the compressed body is cut off")
        rest = stream.unused_data
        if not rest:
            return b"".join(parts)


def is_json(content_type: str) -> bool:
    """Whether the content type is OTLP's JSON; its protobuf is the other one.

    Raises:
        DecodeError: It is neither.
    """
    essence = content_type.partition(";")[0].strip().lower()
    if essence not in (_PROTOBUF, _JSON):
        raise DecodeError(f'content type "{content_type}" is not supported: send {_PROTOBUF} or {_JSON}')
    return essence == _JSON


def protobuf_from_json(body: bytes) -> bytes:
    """An `ExportMetricsServiceRequest` in JSON as protobuf; unknown fields are ignored, as OTLP asks.

    Raises:
        DecodeError: It is not such a request.
    """
    from google.protobuf import json_format
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2

    request = metrics_service_pb2.ExportMetricsServiceRequest()
    try:
        json_format.Parse(body, request, ignore_unknown_fields=True)
        return request.SerializeToString()
    except (json_format.ParseError, ValueError, RecursionError) as error:
        raise DecodeError(f"the body is not OTLP metrics in JSON: {error}") from error


def encode_response(rejected: int, message: str, *, as_json: bool) -> bytes:
    """An `ExportMetricsServiceResponse`, with `partial_success` when something was rejected."""
    if as_json:
        partial = {"rejectedDataPoints": str(rejected), "errorMessage": message}
        return json.dumps({"partialSuccess": partial} if rejected else {}).encode()
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2

    response = metrics_service_pb2.ExportMetricsServiceResponse()
    if rejected:
        response.partial_success.rejected_data_points = rejected
        response.partial_success.error_message = message
    return response.SerializeToString()
