"""Decisions, one by one: what was served, why, and whether it comes out the same again."""

from threading import Lock
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Response

from governance.actions import found
from governance.api.answers import reply
from governance.api.context import ControlContext
from governance.api.engines import Engines
from governance.api.gate import Routes
from governance.api.hours import within
from governance.api.readable import masked, readable
from storage import catalogue, decision_samples
from storage.records import clock
from storage.records.access import Scope
from storage.records.decisions import Decision

Instant = Annotated[int, Query(ge=0, le=2**62)]
DecisionId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    one_at_a_time = Lock()
    engines = Engines(context.database, context.engine_token, context.client)

    def recorded(decision_id: str) -> Decision | None:
        with context.database.read() as read:
            return context.lake.decision(read, decision_id)

    def asked(decision_id: str, what: str) -> Response:
        known = recorded(decision_id)
        path = f"/v1/decisions/{quote(decision_id, safe='')}/{what}"
        return reply(engines.ask(path, first=known.replica if known else None))

    @on.on("GET", "/decisions", Scope.DECISION_READ)
    def listed(
        *,
        campaign: str | None = None,
        start: Instant | None = None,
        end: Instant | None = None,
        hour: Annotated[int | None, Query(ge=0, le=23)] = None,
        weekday: Annotated[int | None, Query(ge=0, le=6)] = None,
        zone: str = "UTC",
        position: Annotated[int | None, Query(ge=1, le=10_000)] = None,
        item: str | None = None,
        attribute: str | None = None,
        value: str | None = None,
        origin: Literal["live", "imported", "simulated"] | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        """Sample decisions behind a cell: newest first; hour and weekday (0 is Monday) are of ``zone``."""
        last = clock.now() if end is None else end
        first = last - clock.DAY if start is None else start
        with context.database.read() as read:
            samples = decision_samples.sample(
                context.lake,
                read,
                ranges=within(first, last, zone=zone, hour=hour, weekday=weekday),
                campaign=campaign,
                item=item,
                position=position,
                attribute=None if attribute is None or value is None else (attribute, value),
                origin=origin,
                limit=limit,
            )
        return reply({"decisions": samples})

    @on.on("GET", "/decisions/{decision_id}", Scope.DECISION_READ)
    def show(decision_id: DecisionId) -> Response:
        """Show one decision's record, from the lake or, while it is young, from the engine that made it."""
        known = recorded(decision_id)
        if known is None:
            told = engines.ask(f"/v1/decisions/{quote(decision_id, safe='')}")
            return reply({"decision": masked(told), "from": "engine"})
        with context.database.read() as read:
            return reply({"decision": readable(known, catalogue.load(read)), "from": "lake"})

    @on.on("GET", "/decisions/{decision_id}/explanation", Scope.DECISION_READ)
    def explanation(decision_id: DecisionId) -> Response:
        """Show what spoke for and against each item, as the engine says."""
        return asked(decision_id, "explanation")

    @on.on("GET", "/decisions/{decision_id}/replay", Scope.DECISION_READ)
    def replay(decision_id: DecisionId) -> Response:
        """Decide again from the record and compare, as the engine says."""
        return asked(decision_id, "replay")

    @on.on("GET", "/decisions/{decision_id}/anew", Scope.DECISION_READ)
    def anew(decision_id: DecisionId, version: Annotated[int, Query(ge=1, le=2**31)]) -> Response:
        """Decide again as if another version of its policy had served everyone; refused with the reason where what it
        was made from is not kept. Nothing is changed."""
        from governance.decided_anew import decided_anew  # it reads models; few who ask control want that

        known = found(recorded(decision_id), "decision in the lake; the newest come there within seconds")
        with one_at_a_time:
            told = decided_anew(
                context.database, context.lake, context.home, known, version=version, now=context.control.now()
            )
        return reply(told)

    return on.router
