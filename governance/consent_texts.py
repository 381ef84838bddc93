"""Wordings that people are asked with: published under a version, never changed; a yes can name the one it was to."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from governance.actions import Action, Ground, Step, always, refuse, untagged
from storage import consent_texts
from storage.database import Write
from storage.errors import Conflict, Problem
from storage.records.access import Scope
from storage.records.consent import Purpose
from storage.records.document import document

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MOST_TEXT = 20_000


@document
class NewText:
    """A wording of one purpose."""

    purpose: Purpose
    version: str
    body: Annotated[str, Field(min_length=1, max_length=MOST_TEXT)]
    language: Annotated[str, Field(min_length=2, max_length=35, pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")] = "en"


def key_of(purpose: Purpose, version: str) -> str:
    """Return how a wording is named.

    >>> key_of(Purpose.EMAIL, "2026-11")
    'email/2026-11'
    """
    return f"{purpose.value}/{version}"


def _problems(key: str, text: NewText) -> Iterator[Problem]:
    if not VERSION.fullmatch(text.version):
        yield Problem(field="version", message="use 1 to 64 letters, digits, dots, dashes and underscores")
    elif key != key_of(text.purpose, text.version):
        yield Problem(field="version", message="differs from the key addressed")


def _publish(write: Write, key: str, payload: NewText, ground: Ground) -> Step:
    refuse(tuple(_problems(key, payload)))
    if consent_texts.find(write, payload.purpose, payload.version) is not None:
        raise Conflict("this version was published already, and a wording never changes; publish it under another")
    text = consent_texts.publish(
        write,
        purpose=payload.purpose,
        version=payload.version,
        language=payload.language,
        body=payload.body,
        author=ground.author,
        at=ground.at,
    )
    told = {"purpose": text.purpose.value, "version": text.version, "language": text.language, "sha256": text.digest}
    return Step(before=None, after=told)


ACTIONS = (
    Action(
        kind="consent_text.publish",
        object_kind="consent_text",
        scope=Scope.CONSENT_WRITE,
        propose=Scope.CONSENT_WRITE,
        payload=NewText,
        level=always("D1"),
        perform=_publish,
        etag=untagged,
        publishes=False,
    ),
)
