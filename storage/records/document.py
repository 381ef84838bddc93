"""Closed JSON documents as frozen dataclasses: parse with named problems, dump canonically."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, TypeVar, dataclass_transform

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError

from storage.errors import Invalid, Problem

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def document(cls: type[T]) -> type[T]:
    """Make ``cls`` a frozen, slotted, keyword-only dataclass whose JSON form admits no unknown field."""
    cls.__pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)  # type: ignore[attr-defined]  # read by pydantic
    return dataclass(frozen=True, slots=True, kw_only=True)(cls)


_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(cls: type[Any]) -> TypeAdapter[Any]:
    if cls not in _adapters:
        _adapters[cls] = TypeAdapter(cls)
    return _adapters[cls]


def parse(cls: type[T], value: Mapping[str, Any] | bytes | str) -> T:
    """Read a document.

    Raises
    ------
    Invalid
        With one problem per field; the offending value is never part of the text.
    """
    try:
        adapter = _adapter(cls)
        if isinstance(value, bytes | str):
            return adapter.validate_json(value)  # type: ignore[no-any-return]  # an adapter of T gives T
        return adapter.validate_python(value)  # type: ignore[no-any-return]  # an adapter of T gives T
    except ValidationError as error:
        problems = tuple(
            Problem(field=".".join(str(part) for part in item["loc"]) or "body", message=item["msg"])
            for item in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise Invalid(f"{problems[0].field}: {problems[0].message}", problems=problems) from None


def dump(record: Any) -> dict[str, Any]:
    """Return the plain JSON form of a document."""
    plain: dict[str, Any] = orjson.loads(orjson.dumps(asdict(record), option=orjson.OPT_NON_STR_KEYS))
    return plain


def canonical(value: Any) -> bytes:
    """Return canonical JSON: sorted keys, no spaces, UTF-8. Records and plain values alike."""
    plain = asdict(value) if hasattr(value, "__dataclass_fields__") else value
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON, in hex."""
    return sha256(canonical(value)).hexdigest()
