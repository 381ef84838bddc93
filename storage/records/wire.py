"""Records as bytes, for the event log and the journal: MessagePack, field names kept, unknown fields ignored."""

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()


def encode(record: Any) -> bytes:
    """Return a record as MessagePack."""
    return _encoder.encode(record)


def decode(cls: type[T], data: bytes) -> T:
    """Read a record back. Raises ``msgspec.ValidationError`` on bytes that are none."""
    return msgspec.msgpack.decode(data, type=cls)
