"""Forms that people have half filled: each person's own, few, small, and not for long."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy import delete
from sqlmodel import col, select

from storage.database import Read, Write
from storage.errors import Invalid, Problem
from storage.records.clock import DAY
from storage.tables.access import DraftRow

LARGEST = 32 * 1024
MOST = 50
"""So many of one person are kept; the oldest gives way."""
KEPT_FOR = 30 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What one person has filled into a form so far, by the names of its fields; ``idempotency_key`` names what it will
    become, so that sending it twice is one effect."""

    form: str
    values: Mapping[str, Any]
    idempotency_key: str
    at: int


def find(read: Read, person: str, form: str) -> Draft | None:
    """Return a person's draft of a form or None."""
    row = read.get(DraftRow, (person, form))
    return _draft(row) if row else None


def listed(read: Read, person: str) -> list[Draft]:
    """Return a person's drafts, newest first."""
    statement = select(DraftRow).where(col(DraftRow.person) == person).order_by(col(DraftRow.at).desc())
    return [_draft(row) for row in read.all(statement)]


def save(write: Write, person: str, form: str, values: Mapping[str, Any], *, now: int) -> Draft:
    """Keep what a person has filled in so far; what is too old, or too much, is forgotten.

    Raises
    ------
    Invalid
        If it is larger than a form can be.
    """
    document = orjson.dumps(dict(values), option=orjson.OPT_SORT_KEYS)
    if len(document) > LARGEST:
        message = f"a draft may hold {LARGEST} bytes"
        raise Invalid(f"values: {message}", problems=(Problem(field="values", message=message),))
    known = write.get(DraftRow, (person, form))
    key = known.idempotency_key if known else str(uuid4())
    row = write.merge(DraftRow(person=person, form=form, document=document, idempotency_key=key, at=now))
    write.execute(delete(DraftRow).where(col(DraftRow.at) < now - KEPT_FOR))
    write.flush()
    forms = select(col(DraftRow.form)).where(col(DraftRow.person) == person)
    for form_of_old in write.all(forms.order_by(col(DraftRow.at).desc()).offset(MOST)):
        remove(write, person, form_of_old)
    return _draft(row)


def remove(write: Write, person: str, form: str) -> None:
    """Forget a draft, if there is one."""
    write.execute(delete(DraftRow).where(col(DraftRow.person) == person, col(DraftRow.form) == form))


def _draft(row: DraftRow) -> Draft:
    return Draft(form=row.form, values=orjson.loads(row.document), idempotency_key=row.idempotency_key, at=row.at)
