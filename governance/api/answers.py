"""Answers as JSON, and what each of them holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Request
from starlette.responses import Response

from governance import rules
from governance.api.gate import request_id
from governance.audience import SHOWN_FROM
from governance.warrants import Warrant
from storage.policies import PolicyHead, PolicyVersion
from storage.records.access import Principal
from storage.records.changes import Change

_OPTIONS = orjson.OPT_NON_STR_KEYS


def reply(answer: Any, *, status: int = 200, etag: str = "") -> Response:
    """Return an answer as JSON, with its tag."""
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    if etag:
        headers["etag"] = f'"{etag}"'
    return Response(
        orjson.dumps(answer, option=_OPTIONS), status_code=status, media_type="application/json", headers=headers
    )


def caller(request: Request) -> Principal:
    """Return who was admitted."""
    principal: Principal = request.state.principal
    return principal


def warrant(request: Request, reason: str, confirm: str = "") -> Warrant:
    """Return the warrant of a request."""
    tag = request.headers.get("if-match")
    return Warrant(
        by=caller(request),
        reason=reason,
        confirm=confirm,
        etag=None if tag is None else tag.strip().removeprefix("W/").strip('"'),
        request_id=request_id(request),
    )


def shown(count: int, *, every: bool) -> int | None:
    """Return a count of people; a small one only to who may see ``every`` one."""
    return count if every or count >= SHOWN_FROM else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Who calls."""

    principal: str
    role: str
    scopes: tuple[str, ...]
    token_id: str
    environment: str
    solo: bool


def policy_view(head: PolicyHead, versions: list[PolicyVersion]) -> Mapping[str, Any]:
    """Return a policy with its versions, without their documents."""
    return {
        "key": head.key,
        "surface": head.surface,
        "stable": head.stable,
        "previous": head.previous,
        "rollout": head.rollout,
        "etag": head.etag,
        "versions": [
            {
                "version": version.version,
                "state": version.state,
                "author": version.author,
                "note": version.note,
                "digest": version.digest,
                "created_at": version.created_at,
            }
            for version in versions
        ],
    }


def change_view(change: Change, *, solo: bool) -> Mapping[str, Any]:
    """Return a change with what it still needs."""
    return {
        **{name: getattr(change, name) for name in change.__dataclass_fields__},
        "needs": rules.needed(change, solo=solo),
        "ready_at": rules.ready_at(change),
    }
