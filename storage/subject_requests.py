"""Requests of people about their own data, and who is restricted."""

from collections.abc import Mapping
from typing import Any, cast

import orjson
from sqlmodel import col, delete, select

from storage.database import Read, Write
from storage.errors import NotFound
from storage.records.document import canonical, parse
from storage.records.requests import RequestKind, RequestState, SubjectRequest, Traces
from storage.tables.requests import RestrictionRow, SubjectRequestRow

OPEN: tuple[RequestState, ...] = ("open", "running")


def save(write: Write, request: SubjectRequest) -> SubjectRequest:
    """Add or replace a request."""
    write.merge(
        SubjectRequestRow(
            request_id=request.request_id,
            kind=request.kind,
            state=request.state,
            subject=request.subject,
            actor=request.actor,
            reason=request.reason,
            received_at=request.received_at,
            due_at=request.due_at,
            extension=request.extension,
            updated_at=request.updated_at,
            done_at=request.done_at,
            traces=b"" if request.traces == Traces() else canonical(request.traces),
            progress=canonical(dict(request.progress)).decode(),
            receipt=b"" if request.receipt is None else canonical(dict(request.receipt)),
        )
    )
    write.flush()
    return request


def find(read: Read, request_id: str) -> SubjectRequest:
    """Return a request.

    Raises
    ------
    NotFound
        If there is none.
    """
    row = read.get(SubjectRequestRow, request_id)
    if row is None:
        raise NotFound("no such request")
    return _request(row)


def listed(
    read: Read,
    *,
    states: tuple[RequestState, ...] = (),
    kind: RequestKind | None = None,
    subject: str | None = None,
    limit: int = 200,
) -> list[SubjectRequest]:
    """Return requests: the open ones first by their deadline, then the newest."""
    statement = select(SubjectRequestRow).order_by(col(SubjectRequestRow.received_at).desc()).limit(limit)
    if states:
        statement = statement.where(col(SubjectRequestRow.state).in_(states))
    if kind is not None:
        statement = statement.where(SubjectRequestRow.kind == kind)
    if subject is not None:
        statement = statement.where(SubjectRequestRow.subject == subject)
    found = [_request(row) for row in read.all(statement)]
    return sorted(found, key=lambda one: (one.state not in OPEN, one.due_at if one.state in OPEN else -one.updated_at))


def restrict(write: Write, subject: str, *, at: int, request_id: str, before: tuple[str, ...]) -> None:
    """Let everything of a subject be kept and nothing be used; ``before`` are the purposes granted till then."""
    row = RestrictionRow(subject=subject, since=at, request_id=request_id, before=orjson.dumps(before).decode())
    write.merge(row)
    write.flush()


def forget_words(write: Write, subject: str) -> None:
    """Let what a person wrote, and was answered, in requests for a review be gone; what waited is over."""
    written = (SubjectRequestRow.kind == "review", SubjectRequestRow.subject == subject)
    for row in write.all(select(SubjectRequestRow).where(*written)):
        row.state, row.progress, row.receipt, row.reason = "done", "{}", b"", ""
        write.add(row)
    write.flush()


def unrestrict(write: Write, subject: str) -> tuple[str, ...]:
    """End a restriction; return the purposes that were granted before it."""
    row = write.get(RestrictionRow, subject)
    write.execute(delete(RestrictionRow).where(col(RestrictionRow.subject) == subject))
    return () if row is None else tuple(orjson.loads(row.before))


def restricted(read: Read) -> dict[str, int]:
    """Return the restricted subjects, and since when."""
    return dict(read.all(select(RestrictionRow.subject, RestrictionRow.since)))


def _request(row: SubjectRequestRow) -> SubjectRequest:
    progress: Mapping[str, Any] = orjson.loads(row.progress)
    return SubjectRequest(
        request_id=row.request_id,
        kind=cast("RequestKind", row.kind),
        state=cast("RequestState", row.state),
        subject=row.subject,
        actor=row.actor,
        reason=row.reason,
        received_at=row.received_at,
        due_at=row.due_at,
        updated_at=row.updated_at,
        extension=row.extension,
        done_at=row.done_at,
        traces=parse(Traces, bytes(row.traces)) if row.traces else Traces(),
        progress=progress,
        receipt=orjson.loads(row.receipt) if row.receipt else None,
    )
