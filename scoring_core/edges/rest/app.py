"""The engine's HTTP application: the hot routes by one look-up, every other one through Starlette."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from scoring_core.edges.instruments import Count, Spread
from scoring_core.edges.replica import Replica
from scoring_core.edges.rest import decisions, observe, people, toggles
from scoring_core.edges.rest.adapt import configure
from scoring_core.edges.rest.doors import PUBLIC, SCOPES
from scoring_core.edges.rest.events import take_events
from scoring_core.edges.rest.exchange import Gone, Headers, answer_refused
from scoring_core.edges.rest.personalize import personalize
from scoring_core.edges.rest.problems import CODES, CONTENT_TYPE, Refused, body_of
from storage.errors import FairleadError
from storage.records.access import Scope as May

Hot = Callable[[Replica, Headers, Receive, Send], Awaitable[int]]
Cold = Callable[[Replica, Request], Awaitable[Any]]

HOT: dict[str, Hot] = {
    "/v1/personalize": personalize,
    "/v1/rerank": partial(personalize, rerank=True),
    "/v1/events": take_events,
    "/v1/personalization/config": configure,
    "/v1/personalization/track-interaction": take_events,
    "/v1/personalization/track-interactions": take_events,
}
COLD: dict[tuple[str, str], Cold] = {
    ("GET", "/v1/decisions/{id}"): decisions.show,
    ("GET", "/v1/decisions/{id}/explanation"): decisions.explain,
    ("GET", "/v1/decisions/{id}/replay"): decisions.again,
    ("GET", "/v1/user/profile"): people.profile,
    ("PUT", "/v1/user/profile/preferences"): people.prefer,
    ("GET", "/v1/user/interests"): people.rank,
    ("PUT", "/v1/user/interests"): people.prefer,
    ("GET", "/v1/user/interests/history"): people.evolution,
    ("GET", "/v1/user/interactions"): people.interactions,
    ("GET", "/v1/user/quiz"): people.quiz,
    ("POST", "/v1/user/quiz"): people.answer_quiz,
    ("POST", "/v1/user/identify"): people.identify,
    ("POST", "/v1/user/feedback"): people.feedback,
    ("GET", "/v1/user/recommendations"): people.recommend,
    ("GET", "/v1/personalization/profile/{subject}"): people.profile,
    ("POST", "/v1/personalization/profile/{subject}"): people.prefer,
    ("POST", "/v1/personalization/profile/{subject}/recompute"): people.recompute,
    ("GET", "/v1/personalization/interactions/{subject}"): people.interactions,
    ("GET", "/v1/toggles"): toggles.told_by_query,
    ("POST", "/v1/toggles"): toggles.told,
    ("POST", "/ofrep/v1/evaluate/flags"): toggles.ofrep_all,
    ("POST", "/ofrep/v1/evaluate/flags/{key}"): toggles.ofrep_one,
    ("GET", "/v1/journal"): observe.journal,
    ("GET", "/v1/metrics/windows"): observe.windows,
    ("GET", "/metrics"): observe.exposition,
    ("GET", "/healthz"): observe.alive,
    ("GET", "/readyz"): observe.ready,
}
BRIEFS = "/api"
"""Every path answers below this prefix too, under its own name there: /api/v1/personalize."""

_log = logging.getLogger("fairlead.engine")


class HotRoute:
    """One hot route and its accumulators."""

    __slots__ = ("_bytes", "_refused", "_replica", "_route", "_run", "_seconds", "_statuses")

    def __init__(self, replica: Replica, route: str, run: Hot) -> None:
        telemetry = replica.telemetry
        self._replica, self._route, self._run = replica, route, run
        self._seconds: Spread = telemetry.http_seconds.child(route)
        self._bytes: Spread = telemetry.http_bytes.child(route)
        self._statuses: dict[int, Count] = {
            kind: telemetry.http_requests.child(route, "POST", f"{kind}xx") for kind in (2, 4, 5)
        }
        self._refused = telemetry.rejections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and count the answer."""
        replica, started = self._replica, self._replica.clock_ns()
        replica.in_flight += 1
        status = 2
        try:
            if scope["method"] != "POST":
                raise Refused(405, "Use POST.")
            self._bytes.observe(await self._run(replica, Headers(scope), receive, send))
        except Refused as refused:
            status = refused.status // 100
            self._refused.child(refused.reason).add()
            await answer_refused(send, refused)
        except Gone:
            status = 4
        except Exception:
            status = 5
            _log.exception("a request to %s failed", self._route)
            replica.tally.failed(None, (replica.clock_ns() - started) * 1e-9)
            await answer_refused(send, Refused(500, "This is a mistake of ours; it was written down."))
        finally:
            replica.in_flight -= 1
            self._statuses[status].value += 1
            self._seconds.observe((replica.clock_ns() - started) * 1e-9)


class EngineApp:
    """Dispatches: one dictionary for the hot routes, Starlette for the rest."""

    def __init__(self, replica: Replica) -> None:
        self._hot: dict[str, ASGIApp] = {}
        for path, run in HOT.items():
            if ("POST", path) not in SCOPES:
                raise LookupError(f"{path} names no scope")
            route = HotRoute(replica, path, run)
            self._hot[path] = self._hot[BRIEFS + path] = route
        self._rest = _starlette(replica)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        route = self._hot.get(scope["path"]) if scope["type"] == "http" else None
        await (route or self._rest)(scope, receive, send)


def _starlette(replica: Replica) -> ASGIApp:
    routes = [
        Route(prefix + path, _counted(replica, method, path, run), methods=[method])
        for (method, path), run in COLD.items()
        for prefix in ("", BRIEFS)
        if not prefix or path.startswith("/v1/")
    ]

    async def unknown(_request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        replica.telemetry.http_requests.child("unknown", "GET", f"{status // 100}xx").add()
        detail = "No such path." if status == 404 else "This path does not take this method."
        return _problem(Refused(status if status in CODES else 500, detail))

    return Starlette(routes=routes, exception_handlers={404: unknown, 405: unknown})


def _counted(replica: Replica, method: str, route: str, run: Cold) -> Callable[[Request], Awaitable[Response]]:
    telemetry = replica.telemetry
    seconds = telemetry.http_seconds.child(route)

    async def endpoint(request: Request) -> Response:
        started = replica.clock_ns()
        replica.in_flight += 1
        try:
            await _admit(replica, request, method, route)
            made = await run(replica, request)
            response = made if isinstance(made, Response) else JSONResponse(made)
        except Refused as refused:
            telemetry.rejections.child(refused.reason).add()
            response = _problem(refused)
        except Gone:
            response = Response(status_code=400)
        except Exception:
            _log.exception("a request to %s failed", route)
            response = _problem(Refused(500, "This is a mistake of ours; it was written down."))
        finally:
            replica.in_flight -= 1
        telemetry.http_requests.child(route, method, f"{response.status_code // 100}xx").add()
        seconds.observe((replica.clock_ns() - started) * 1e-9)
        return response

    return endpoint


async def _admit(replica: Replica, request: Request, method: str, route: str) -> None:
    """Let in who may; enter in the ledger what a person reads of people, before they see it."""
    scope = SCOPES.get((method, route))
    if scope == PUBLIC:
        return
    if not isinstance(scope, May):
        raise Refused(403, "This route names no scope, so nobody may use it.", reason="scope")
    by = replica.door.admit(request.headers.get("authorization", "").encode("latin-1"), scope)
    if scope is not May.DECISION_READ:
        return
    thing = "/".join(str(value) for value in request.path_params.values()) or request.query_params.get("subject", "")
    if not replica.looks.wanted(by, route, thing):
        return
    try:
        await asyncio.to_thread(replica.looks.enter, by, route, thing)
    except FairleadError as error:
        raise Refused(503, f"This look cannot be entered in the ledger: {error}", code=error.code) from None


def _problem(refused: Refused) -> Response:
    body = body_of(refused.status, refused.detail, problems=refused.problems, code=refused.code)
    headers = {"www-authenticate": 'Bearer realm="fairlead"'} if refused.status == 401 else {}
    return Response(body, refused.status, headers=headers, media_type=CONTENT_TYPE.decode())
