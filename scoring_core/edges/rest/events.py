"""POST /v1/events: one event, many as an array or ``{"events": […]}``, or one per line (NDJSON)."""

import json
from typing import Any

import msgspec
from starlette.types import Receive, Send

from scoring_core.edges.intake import Taken
from scoring_core.edges.judgement import Flawed, flawed
from scoring_core.edges.replica import Replica
from scoring_core.edges.rest.bodies import BATCH, EVENT, EVENTS, EventBody
from scoring_core.edges.rest.exchange import Headers, answer, read_body
from scoring_core.edges.rest.mistakes import lenient, problem_of, safe_name, unspeakable
from scoring_core.edges.rest.problems import CODES, SHOWN, Refused
from storage.errors import Problem, Unavailable
from storage.records.access import Principal
from storage.records.access import Scope as May

Received = list[EventBody | Flawed]

MAX_EVENTS = 10_000
NDJSON = b"application/x-ndjson"

_encode = msgspec.json.Encoder().encode


async def take_events(replica: Replica, headers: Headers, receive: Receive, send: Send) -> int:
    """Answer the route; return the size of the body."""
    principal = replica.door.admit(headers.authorization, May.EVENTS_WRITE)
    body = await read_body(headers, receive, replica.config.max_body)
    received, single = read(body, lines=headers.media.startswith(NDJSON))
    if len(received) > MAX_EVENTS:
        raise Refused(
            422, "Too many events.", problems=[Problem(field="events", message=f"send at most {MAX_EVENTS} at once")]
        )
    taken = await take(replica, principal, received, gpc=headers.gpc)
    if single:
        await answer(send, _encode(one(taken)), 202)
    else:
        refused = len(taken.problems) == len(received) and received
        await answer(send, _encode(many(taken, len(received))), 422 if refused else 202)
    return len(body)


async def take(replica: Replica, principal: Principal, received: Received, *, gpc: bool = False) -> Taken:
    """Take events in; with ``gpc`` the browser that sent them objects, for everyone whom they name.

    Raises
    ------
    Refused
        503 when nothing was stored.
    """
    live = replica.follower.live
    if live is None:
        raise Refused(503, "This replica is not ready yet; try again.", reason="overload")
    try:
        taken = await replica.intake.take(received, live, "simulated" if principal.may(May.SIMULATE) else "live")
    except Unavailable as error:
        replica.dependencies.log_failed()
        raise Refused(503, f"Nothing was stored: {error}", code=error.code, reason="overload") from None
    if gpc:
        raws = {each.subject for each in received if isinstance(each, EventBody)}
        replica.objected({raw: replica.identities.cached(raw) for raw in raws if raw is not None})
    return taken


def one(taken: Taken) -> dict[str, Any]:
    """Return the answer for a single event.

    Raises
    ------
    Refused
        422 where it was refused.
    """
    if taken.problems:
        _, _, problem = taken.problems[0]
        raise Refused(422, f"{problem.field}: {problem.message}", problems=[problem])
    stored = "aggregate" if taken.aggregate else "duplicate" if taken.duplicates else "full"
    return {"stored": stored, "accepted": 1 - taken.duplicates, "duplicates": taken.duplicates}


def many(taken: Taken, count: int) -> dict[str, Any]:
    """Return the answer for a batch; where all were refused it is a problem document too."""
    refused = count and len(taken.problems) == count
    problem = {"type": "urn:fairlead:problem:FL-1422", "title": "Unprocessable Entity", "status": 422}
    return {
        **(problem | {"code": CODES[422], "detail": "No event was accepted."} if refused else {}),
        "accepted": taken.full + taken.aggregate,
        "stored": {"full": taken.full, "aggregate": taken.aggregate},
        "duplicates": taken.duplicates,
        "dead_letters": len(taken.problems),
        "problems": [
            {"index": place, "code": code, "field": problem.field, "message": problem.message}
            for place, code, problem in taken.problems[: 5 * SHOWN]
        ],
    }


def read(body: bytes, *, lines: bool = False) -> tuple[Received, bool]:
    """Read a body; what is no event becomes ``Flawed``, so that its neighbours are stored all the same.

    Raises
    ------
    Refused
        If the body as a whole is no JSON.
    """
    if lines:
        return [_line(line) for line in body.splitlines() if line.strip()], False
    start = body.lstrip()[:1]
    try:
        if start == b"[":
            return list(EVENTS.decode(body)), False
        if start == b"{":
            return _object(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        pass
    return _leniently(body)


def _object(body: bytes) -> tuple[Received, bool]:
    try:
        return [EVENT.decode(body)], True
    except msgspec.ValidationError:
        return list(BATCH.decode(body).events), False


def _leniently(body: bytes) -> tuple[Received, bool]:
    document = lenient(body)
    if isinstance(document, dict) and isinstance(document.get("events"), list) and "type" not in document:
        problems = [
            Problem(field=safe_name(key), message="is not a known field") for key in document if key != "events"
        ]
        if problems:
            raise Refused(422, f"{problems[0].field}: {problems[0].message}", problems=problems)
        document = document["events"]
    if isinstance(document, list):
        return [_element(element) for element in document], False
    return [_element(document)], True


def _line(line: bytes) -> EventBody | Flawed:
    try:
        return EVENT.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        pass
    try:
        return _element(lenient(line))
    except Refused as error:
        return Flawed(error.problems[0])


def _element(element: Any) -> EventBody | Flawed:
    for problem in unspeakable(element):
        return flawed(element, problem)
    try:
        return EVENT.decode(json.dumps(element))
    except msgspec.ValidationError as error:
        return flawed(element, problem_of(error, element))
    except (msgspec.DecodeError, RecursionError):
        return flawed(element, Problem(field="body", message="cannot be read"))
