"""What is wrong with a body, in words that name the field and never repeat what was sent."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from scoring_core.edges.rest.problems import Refused
from storage.errors import Problem

T = TypeVar("T")

_PLACE = re.compile(r" - at `\$\.?([^`]*)`$")
_UNKNOWN = re.compile(r"^Object contains unknown field `(.*)`$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(.*)`$", re.DOTALL)
_PLAIN_NAME = re.compile(r"^[A-Za-z0-9_.\-]{1,64}$")
_DEEPEST = 64


def safe_name(name: str) -> str:
    """Return a field's name if it is a plain one; anything else could be an attack on whoever reads the answer.

    >>> safe_name("price"), safe_name("<script>")
    ('price', '(unprintable name)')
    """
    return name if _PLAIN_NAME.match(name) else "(unprintable name)"


def problem_of(error: msgspec.ValidationError, document: object = None) -> Problem:
    """Read msgspec's message; ``document``, the body read leniently, tells which key of an open mapping was meant."""
    text = str(error)
    place = _PLACE.search(text)
    where = place.group(1) if place else ""
    what = text[: place.start()] if place else text
    prefix = f"{where}." if where else ""
    for pattern, message in ((_UNKNOWN, "is not a known field"), (_MISSING, "is required")):
        if found := pattern.match(what):
            return Problem(field=prefix + safe_name(found.group(1)), message=message)
    if what.startswith("Invalid enum value"):
        what = "is not one of the allowed values"
    if where.endswith("[...]"):
        where = _offender(where.removesuffix("[...]"), document)
    return Problem(field=where or "body", message=what.replace("`", "").replace(" | ", " or "))


def _offender(mapping: str, document: object) -> str:
    """Name the key of ``mapping`` whose value is no scalar, or no finite one."""
    inner = document.get(mapping) if isinstance(document, dict) else None
    if isinstance(inner, dict):
        for key, value in inner.items():
            if not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
                return f"{mapping}.{safe_name(str(key))}"
    return mapping


def lenient(body: bytes) -> Any:
    """Read JSON as Python does: with NaN, Infinity and broken UTF-8, only to say afterwards what is wrong with it.

    Raises
    ------
    Refused
        400 where it is no JSON at all; 422 where it is nested too deeply.
    """
    try:
        return json.loads(body.decode("utf-8", "surrogateescape"))
    except RecursionError:
        raise Refused(
            422, "The body is nested too deeply.", problems=[Problem(field="body", message="is nested too deeply")]
        ) from None
    except ValueError:
        raise Refused(
            400, "The body is not valid JSON.", problems=[Problem(field="body", message="is not valid JSON")]
        ) from None


def unspeakable(value: object, field: str = "", depth: int = 0) -> Iterator[Problem]:
    """Find numbers that are not finite and text that is not UTF-8."""
    if depth > _DEEPEST:
        yield Problem(field=field or "body", message="is nested too deeply")
    elif isinstance(value, dict):
        for key, inner in value.items():
            name = safe_name(str(key))
            yield from unspeakable(inner, f"{field}.{name}" if field else name, depth + 1)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from unspeakable(inner, f"{field}[{place}]", depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        yield Problem(field=field or "body", message="must be a finite number")
    elif isinstance(value, str) and not _is_text(value):
        yield Problem(field=field or "body", message="is not valid UTF-8 text")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def refused(body: bytes, error: Exception) -> Refused:
    """Explain why a strict decoder refused ``body``."""
    document = lenient(body)
    problems = list(unspeakable(document))
    if not problems and isinstance(error, msgspec.ValidationError):
        problems = [problem_of(error, document)]
    if not problems:
        return Refused(
            400, "The body is not valid JSON.", problems=[Problem(field="body", message="is not valid JSON")]
        )
    first = problems[0]
    return Refused(422, f"{first.field}: {first.message}", problems=problems)


def strictly(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode a body, or say what is wrong with it.

    Raises
    ------
    Refused
        400 or 422, naming the field.
    """
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise refused(body, error) from None
