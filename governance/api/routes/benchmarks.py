"""Figures of an industry that the installation brings along."""

from fastapi import APIRouter, Request, Response

from governance.api.answers import reply, warrant
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.api.insight_bodies import BenchmarkTable
from governance.benchmarks import TABLE, etag, read_csv
from governance.outcomes import Outcome
from storage import benchmarks
from storage.records.access import Scope
from storage.records.benchmarks import METRICS
from storage.records.document import dump


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()

    @on.on("GET", "/benchmarks", Scope.READ)
    def listed() -> Response:
        """List the figures with their sources, and which metrics there may be figures of."""
        with context.database.read() as read:
            rows, tag = benchmarks.listed(read), etag(read)
        shown = [{**dump(one.benchmark), "author": one.author, "added_at": one.added_at} for one in rows]
        return reply({"benchmarks": shown, "metrics": METRICS, "etag": tag}, etag=tag)

    @on.on("POST", "/benchmarks", Scope.CAMPAIGN_WRITE, answer=Outcome)
    def put(request: Request, body: BenchmarkTable) -> Response:
        """Replace all figures by those of a CSV table; one wrong line refuses the whole, each named."""
        payload = {"rows": [dump(one) for one in read_csv(body.csv)]}
        outcome = context.control.do("benchmarks.put", TABLE, payload, warrant(request, body.reason))
        return reply(outcome, etag=outcome.etag)

    return on.router
