"""The control API as one FastAPI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from governance.api.answers import reply
from governance.api.context import ControlContext, beat_of
from governance.api.gate import PUBLIC, Gate, Routes
from governance.api.limits import BoundedBody
from governance.api.metrics import expose
from governance.api.own_page.pages import OwnPages
from governance.api.problems import install, problem
from governance.api.routes import (
    alerts,
    analytics,
    audits,
    benchmarks,
    campaigns,
    caps,
    cards,
    catalogue,
    changes,
    checks,
    consent_sources,
    consents,
    creators,
    decisions,
    drafts,
    drift,
    emergencies,
    experiments,
    fairness,
    jobs,
    kill,
    ledger,
    models,
    own,
    policies,
    proofs,
    rights,
    roles,
    rollouts,
    rule_judgements,
    rules,
    segments,
    session,
    settings,
    slos,
    subjects,
    system,
    toggles,
    tokens,
    whatif,
)
from storage import revisions
from storage.errors import FairleadError
from storage.records.access import Scope

__all__ = ["ControlContext", "create_app"]

PREFIXES = ("/control/v1", "/api/v1")
THREADS = 128
"""Each waiting opt-out holds one."""

_ROOMS = (
    session,
    own,
    campaigns,
    caps,
    cards,
    policies,
    rollouts,
    rule_judgements,
    rules,
    kill,
    toggles,
    changes,
    emergencies,
    consents,
    consent_sources,
    subjects,
    rights,
    proofs,
    tokens,
    roles,
    drafts,
    system,
    jobs,
    drift,
    audits,
    fairness,
    checks,
    alerts,
    slos,
    ledger,
    decisions,
    models,
    settings,
    catalogue,
    segments,
    analytics,
    creators,
    experiments,
    benchmarks,
    whatif,
)


def create_app(context: ControlContext) -> FastAPI:
    """Return the ASGI application."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        yield

    app = FastAPI(
        title="Fairlead control",
        version=context.version,
        description="Commands, and everything that is read per subject, per decision or of the ledger.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.gate = Gate(context.database, context.control, context.keys, context.passports)
    install(app)
    app.add_middleware(BoundedBody)
    for room in _ROOMS:
        router = room.routes(context)
        for prefix in PREFIXES:
            app.include_router(router, prefix=prefix)
    app.include_router(_health(context, app).router)
    app.router.routes.extend(OwnPages(context).routes())
    return app


def _health(context: ControlContext, app: FastAPI) -> Routes:
    on = Routes()
    beat = beat_of(context)

    @on.on("GET", "/healthz", PUBLIC)
    def healthy() -> Response:
        """Tell that the process lives."""
        return reply({"ok": True})

    @on.on("GET", "/readyz", PUBLIC)
    def ready() -> Response:
        """Tell whether the database answers."""
        try:
            with context.database.read() as read:
                revision = revisions.number(read)
        except FairleadError as error:
            return problem(503, str(error), code=error.code)
        return reply({"ok": True, "revision": revision})

    @on.on("GET", "/metrics", Scope.METRICS_READ)
    def exposition(request: Request) -> Response:
        """Return control's own metrics for Prometheus: checks, ledger, scheduled work."""
        body, media = expose(beat, context.control.now(), request.headers.get("accept", ""))
        return Response(body, headers={"content-type": media})

    @on.on("GET", "/control/v1/openapi.json", PUBLIC)
    def reference(_request: Request) -> Response:
        """Describe this API."""
        return reply(app.openapi())

    return on
