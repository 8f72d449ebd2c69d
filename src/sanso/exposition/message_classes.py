"""Classes of protobuf's runtime made from a description: where a message is worth the runtime, which reads in C."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

DOUBLE, INT64, UINT64, ENUM_AS_INT, STRING, BYTES, UINT32, SINT32, SINT64 = 1, 3, 4, 5, 9, 12, 13, 17, 18
_MESSAGE = 11
_REPEATED, _OPTIONAL = 3, 1

Messages: TypeAlias = Mapping[str, Sequence[tuple[str, int, int | str]]]
"""By name the fields of each message: name, number, and a type or another message's name, with `*` where repeated."""


def message_class(package: str, messages: Messages, name: str) -> Any:
    """The class of one of the messages. Fields that nobody reads may be left out: the runtime skips them.

    They are proto3's but for their strings, which may be any bytes: what is not UTF-8 comes as bytes.
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # only where somebody sends so

    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="editions")
    file.edition = descriptor_pb2.EDITION_2023
    features = descriptor_pb2.FeatureSet
    file.options.features.field_presence = features.IMPLICIT
    file.options.features.utf8_validation = features.NONE
    for each, fields in messages.items():
        message = file.message_type.add(name=each)
        for field_name, number, kind in fields:
            _add_field(message, package, field_name, number, str(kind))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))


def _add_field(message: Any, package: str, name: str, number: int, kind: str) -> None:
    repeated, bare = kind.endswith("*"), kind.removesuffix("*")
    field = message.field.add(name=name, number=number, label=_REPEATED if repeated else _OPTIONAL)
    if bare.isdigit():
        field.type = int(bare)
    else:
        field.type, field.type_name = _MESSAGE, f".{package}.{bare}"
