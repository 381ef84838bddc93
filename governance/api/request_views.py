"""A person's request as the API tells it: never what finds the person."""

from collections.abc import Mapping
from typing import Any

from governance.api.answers import change_view
from governance.rights import Answered
from storage.records.changes import Change
from storage.records.clock import DAY
from storage.records.requests import SubjectRequest
from storage.subject_requests import OPEN

SHOWN = (
    "request_id",
    "kind",
    "state",
    "subject",
    "actor",
    "reason",
    "received_at",
    "due_at",
    "extension",
    "updated_at",
    "done_at",
    "progress",
)


def request_view(
    request: SubjectRequest, *, now: int, change: Change | None = None, solo: bool = False
) -> Mapping[str, Any]:
    """Return a request with the days that are left, and the change that carries it out."""
    waiting = request.state in OPEN
    return {
        **{name: getattr(request, name) for name in SHOWN},
        "days_left": (request.due_at - now) // DAY if waiting else None,
        "overdue": waiting and now > request.due_at,
        "change": None if change is None else change_view(change, solo=solo),
    }


def answered_view(done: Answered, *, now: int) -> Mapping[str, Any]:
    """Return a request that was done, and which replicas know."""
    return {**request_view(done.request, now=now), "acknowledged": done.acknowledged}
