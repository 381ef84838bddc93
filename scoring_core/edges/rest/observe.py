"""What others read of a replica: the journal, metric windows, the exposition, health."""

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from scoring_core.edges.replica import Replica
from scoring_core.edges.rest.decisions import described
from scoring_core.edges.rest.problems import Refused
from storage.errors import FairleadError, Problem
from storage.records import wire
from storage.records.access import Scope as May
from storage.records.decisions import Decision
from storage.records.events import DeadLetter, Entry, Event, ItemEpoch

MSGPACK = "application/x-msgpack"
LIMIT, MOST = 1_000, 10_000
MOST_BYTES = 8 << 20
KINDS: dict[str, type[Any]] = {"event": Event, "epoch": ItemEpoch, "dead_letter": DeadLetter, "decision": Decision}

_json = msgspec.json.Encoder().encode


async def journal(replica: Replica, request: Request) -> Response:
    """Return the log's entries after a number, in order: MessagePack where asked for, else JSON."""
    _admit(replica, request, May.JOURNAL_READ)
    after = _number(request, "after", 0, most=1 << 62)
    limit = _number(request, "limit", LIMIT, most=MOST)
    try:
        entries = await asyncio.to_thread(replica.log.read, after, limit)
    except FairleadError as error:
        raise Refused(503, str(error), code=error.code) from None
    head: dict[str, Any] = {
        "replica": replica.config.replica,
        "log": replica.log.log_id,
        "boot_id": replica.boot_id,
        "head": replica.log.head(),
    }
    entries = _bounded(entries)
    if MSGPACK in request.headers.get("accept", ""):
        rows = [[entry.seq, entry.kind, entry.at, entry.payload] for entry in entries]
        return Response(msgspec.msgpack.encode(head | {"entries": rows}), media_type=MSGPACK)
    body = await asyncio.to_thread(lambda: _json(head | {"entries": [_spelled(replica, entry) for entry in entries]}))
    return Response(body, media_type="application/json")


async def windows(replica: Replica, request: Request) -> Response:
    """Return the closed metric windows after ``BOOT:SEQ``."""
    _admit(replica, request, May.METRICS_READ)
    boot, colon, number = request.query_params.get("after", "").rpartition(":")
    if colon and not number.lstrip("-").isdigit():
        raise _bad("after", "must be BOOT:SEQ")
    found = replica.windows.after(boot, int(number) if colon else -1)
    body = _json(
        {"replica": replica.config.replica, "boot_id": replica.boot_id, "now": replica.now(), "windows": found}
    )
    return Response(body, media_type="application/json")


async def exposition(replica: Replica, request: Request) -> Response:
    """Return the metrics for Prometheus, in the format that it asks for."""
    _admit(replica, request, May.METRICS_READ)
    body, content_type = replica.telemetry.expose(request.headers.get("accept", ""))
    return Response(body, headers={"content-type": content_type})


async def alive(_replica: Replica, _request: Request) -> Response:
    """Say that the process answers."""
    return JSONResponse({"status": "ok"})


async def ready(replica: Replica, _request: Request) -> Response:
    """Say whether this replica wants traffic, and what it decides with."""
    good = replica.ready()
    body = {
        "ready": good,
        "replica": replica.config.replica,
        "boot_id": replica.boot_id,
        "revision": replica.follower.revision,
        "consent_epoch": replica.follower.consent.epoch,
        "degraded": sorted(reason for reason, on in replica.degraded().items() if on),
        "plugins": {name: shown["state"] for name, shown in replica.plugins.shown().items()},
    }
    return JSONResponse(body, status_code=200 if good else 503)


def _admit(replica: Replica, request: Request, scope: May) -> None:
    replica.door.admit(request.headers.get("authorization", "").encode("latin-1"), scope)


def _number(request: Request, name: str, default: int, *, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise _bad(name, "must be a whole number, 0 or more")
    return min(int(text), most)


def _bad(name: str, message: str) -> Refused:
    return Refused(422, f"{name}: {message}", problems=[Problem(field=name, message=message)])


def _bounded(entries: list[Entry]) -> list[Entry]:
    """Keep an answer below 8 MiB, but never empty."""
    size = 0
    for place, entry in enumerate(entries):
        size += len(entry.payload)
        if size > MOST_BYTES and place:
            return entries[:place]
    return entries


def _spelled(replica: Replica, entry: Entry) -> dict[str, Any]:
    if entry.kind == "erased":
        return {"seq": entry.seq, "kind": entry.kind, "at": entry.at, "record": None}
    record = wire.decode(KINDS[entry.kind], entry.payload)
    live = replica.follower.live
    shelf = live.shelf if live is not None else None
    spelled = described(record, shelf) if isinstance(record, Decision) else msgspec.to_builtins(record, str_keys=True)
    return {"seq": entry.seq, "kind": entry.kind, "at": entry.at, "record": spelled}
