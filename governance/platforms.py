"""Consent platforms: declared, changed and removed; their messages read as statements."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.actions import Action, Ground, Nothing, Step, always, found, refuse, untagged
from governance.consent import Statement, subject_problem
from storage import platforms
from storage.database import Read, Write
from storage.errors import Conflict, Invalid, Problem
from storage.records import clock
from storage.records.access import Scope
from storage.records.document import digest, document, dump
from storage.records.platforms import ConsentPlatform

NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
MOST_ITEMS = 1_000


@document
class NewPlatform:
    """A platform, whole."""

    platform: ConsentPlatform


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a message says; ``unmapped`` counts purposes that nobody declared."""

    statements: tuple[Statement, ...]
    unmapped: int


def source_of(name: str) -> str:
    """Return what the consent record calls a platform."""
    return f"platform:{name}"


def read_message(platform: ConsentPlatform, body: Mapping[str, Any], *, now: int) -> Message:
    """Read a platform's message.

    Raises
    ------
    Invalid
        Naming the path that is missing or holds what cannot be read, never what it holds; nothing may be taken then.
    """
    subject = _text(body, platform.subject)
    if message := subject_problem(subject):
        raise _wrong(platform.subject, message)
    statements: list[Statement] = []
    unmapped = 0
    for item, purpose, state in _items(platform, body):
        ours = platform.purposes.get(purpose)
        if ours is None:
            unmapped += 1
            continue
        if state not in platform.states:
            raise _wrong(platform.state, "holds a word that is not among the declared states")
        said_at = _instant(item, body, platform.at, now)
        version = _optional(item, body, platform.text_version)
        statements += [
            Statement(
                subject=subject,
                purpose=each,
                state=platform.states[state],
                said_at=said_at,
                text_version=version[:64],
            )
            for each in ours
        ]
    return Message(statements=tuple(statements), unmapped=unmapped)


def _items(platform: ConsentPlatform, body: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str, str]]:
    listed = _at(body, platform.items) if platform.items else [body]
    if isinstance(listed, Mapping):
        yield from (({}, str(purpose), _word(state)) for purpose, state in list(listed.items())[:MOST_ITEMS])
        return
    if not isinstance(listed, Sequence) or isinstance(listed, str) or len(listed) > MOST_ITEMS:
        raise _wrong(platform.items, f"must lead to a list of at most {MOST_ITEMS}, or to an object")
    for item in listed:
        if not isinstance(item, Mapping):
            raise _wrong(platform.items, "must hold objects")
        yield item, _text(item, platform.purpose), _text(item, platform.state)


def _at(body: Any, path: str) -> Any:
    for part in path.split("."):
        body = body.get(part) if isinstance(body, Mapping) else None
    return body


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(body: Mapping[str, Any], path: str) -> str:
    value = _at(body, path)
    if not isinstance(value, str | int | bool):
        raise _wrong(path, "is missing, or no text")
    return _word(value)


def _optional(item: Mapping[str, Any], body: Mapping[str, Any], path: str) -> str:
    value = (_at(item, path) or _at(body, path)) if path else None
    return _word(value) if isinstance(value, str | int) else ""


def _instant(item: Mapping[str, Any], body: Mapping[str, Any], path: str, now: int) -> int | None:
    if not path:
        return None
    at = clock.read_instant(_at(item, path) or _at(body, path))
    if at is None:
        raise _wrong(path, "is missing, or no instant: RFC 3339, or seconds or milliseconds since 1970")
    return min(at, now)


def _wrong(path: str, message: str) -> Invalid:
    field = path or "body"
    return Invalid(f"{field}: {message}", problems=(Problem(field=field, message=message),))


def platform_etag(read: Read, name: str) -> str:
    """Return the tag of a platform; empty where there is none of this name."""
    platform = platforms.declared(read).get(name)
    return "" if platform is None else digest(platform)


def _declare(write: Write, name: str, payload: NewPlatform, _ground: Ground) -> Step:
    if not NAME.fullmatch(name):
        said = "use 1 to 64 small letters, digits, dashes or underscores, a letter first"
        refuse((Problem(field="name", message=said),))
    before = platforms.declared(write).get(name)
    if before == payload.platform:
        raise Conflict("the platform is like this already")
    platforms.declare(write, name, payload.platform)
    return Step(before=dump(before) if before else None, after=dump(payload.platform), etag=digest(payload.platform))


def _remove(write: Write, name: str, _payload: Nothing, _ground: Ground) -> Step:
    before = found(platforms.declared(write).get(name), "consent platform")
    platforms.declare(write, name, None)
    return Step(before=dump(before), after=None)


ACTIONS = (
    Action(
        kind="consent_platform.declare",
        object_kind="consent_platform",
        scope=Scope.ADMIN,
        propose=Scope.CONSENT_WRITE,
        approve=Scope.ADMIN,
        payload=NewPlatform,
        level=always("D2"),
        perform=_declare,
        etag=platform_etag,
        publishes=False,
    ),
    Action(
        kind="consent_platform.remove",
        object_kind="consent_platform",
        scope=Scope.ADMIN,
        propose=Scope.CONSENT_WRITE,
        approve=Scope.ADMIN,
        payload=Nothing,
        level=always("D1"),
        perform=_remove,
        etag=untagged,
        publishes=False,
    ),
)
