"""Erasure and export of one person: irreversible or legally loaded, so two others agree and some time passes."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from governance.actions import Action, Ground, Nothing, Step, always
from storage import erasure, jobs, subject_requests
from storage.database import Read, Write
from storage.errors import Conflict, NotFound
from storage.records.access import Scope
from storage.records.requests import SubjectRequest

ERASURE, EXPORT = "erasure", "export"
"""The jobs that carry requests out."""
EXPORTED = frozenset({"access", "portability"})


def action_for(request: SubjectRequest) -> str:
    """Return the kind of change that carries a request out."""
    return "subject.export" if request.kind in EXPORTED else "subject.erase"


def _etag(read: Read, key: str) -> str:
    try:
        request = subject_requests.find(read, key)
    except NotFound:
        return ""
    return f"{request.request_id}:{request.state}"


def _open(read: Read, key: str, kinds: frozenset[str]) -> SubjectRequest:
    request = subject_requests.find(read, key)
    if request.kind not in kinds:
        raise Conflict(f"this request is one of {request.kind}")
    if request.state != "open":
        raise Conflict(f"this request is {request.state}")
    return request


def _begin(write: Write, request: SubjectRequest, ground: Ground, job: str, progress: Mapping[str, Any]) -> Step:
    running = replace(request, state="running", updated_at=ground.at, progress=progress)
    subject_requests.save(write, running)
    arguments = {"request_id": request.request_id}
    jobs.enqueue(write, name=job, arguments=arguments, requested_by=ground.author, now=ground.at)
    return Step(before={"state": "open"}, after={"state": "running", **progress}, etag=_etag(write, request.request_id))


def _erase(write: Write, key: str, _payload: Nothing, ground: Ground) -> Step:
    """Delete salt, consent and statements, and tell every replica; a job does the rest."""
    request = _open(write, key, frozenset({"erasure"}))
    known = erasure.traces(write, request.traces.subjects[0], request.traces.lookups[0])
    gone = erasure.forget(write, known)
    subject_requests.forget_words(write, request.subject)
    number = erasure.order(write, "erase", subjects=known.subjects, request_id=key, at=ground.at)
    request = replace(request, traces=known)
    return _begin(write, request, ground, ERASURE, {"begun_at": ground.at, "order": number, "tables": gone})


def _export(write: Write, key: str, _payload: Nothing, ground: Ground) -> Step:
    return _begin(write, _open(write, key, EXPORTED), ground, EXPORT, {"begun_at": ground.at})


def _personal(kind: str, perform: Callable[[Write, str, Any, Ground], Step]) -> Action:
    return Action(
        kind=kind,
        object_kind="subject",
        scope=Scope.SUBJECT_ERASE,
        propose=Scope.CONSENT_WRITE,
        approve=Scope.SUBJECT_ERASE,
        payload=Nothing,
        level=always("D3"),
        perform=perform,
        etag=_etag,
        publishes=False,
    )


ACTIONS = (_personal("subject.erase", _erase), _personal("subject.export", _export))
