"""Experiments: what chance has drawn between arms, hidden until enough was seen; how much is enough."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from governance.actions import found
from governance.api.answers import reply, warrant
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.api.insight_bodies import Reveal
from governance.experiments import veil
from governance.experiments.power import sample_size
from governance.warrants import require_reason
from storage import findings
from storage.errors import Invalid, Problem
from storage.records.access import Scope

Ratio = Annotated[float, Query(gt=0.0, lt=1.0)]
Change = Annotated[float, Query(ge=-0.99, le=10.0)]
Power = Annotated[float, Query(ge=0.5, le=0.99)]


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()

    def list_at(path: str) -> None:
        @on.on("GET", path, Scope.READ)
        def listed() -> Response:
            """List experiments, health first; of one that has not run long enough no outcome is shown."""
            newest = _newest(context)
            told = [veil.veiled(one) for one in newest.get("experiments", ())]
            return reply({"at": newest.get("at"), "experiments": told})

    for path in ("/experiments", "/experiments/active", "/analytics/recommendation-effectiveness"):
        list_at(path)

    @on.on("POST", "/experiments/reveal", Scope.POLICY_APPROVE)
    def reveal(request: Request, body: Reveal) -> Response:
        """Show an experiment's results before their time; who looked, and why, is entered in the ledger first."""
        order = warrant(request, body.reason)
        require_reason(order)
        one = found(veil.found(_newest(context).get("experiments", ()), body.key, body.origin), "experiment")
        context.control.viewed("experiments", order, key=f"{body.key} {body.origin}", verb="reveal")
        return reply(one)

    @on.on("GET", "/experiments/sample-size", Scope.READ)
    def size(rate: Ratio, change: Change = 0.2, power: Power = 0.8) -> Response:
        """Tell how many trials each of two arms needs to find a relative change of a rate."""
        try:
            trials = sample_size(rate, change, power=power)
        except ValueError as error:
            raise Invalid(f"change: {error}", problems=(Problem(field="change", message=str(error)),)) from None
        return reply({"rate": rate, "change": change, "power": power, "level": 0.05, "per_arm": trials})

    return on.router


def _newest(context: ControlContext) -> Mapping[str, Any]:
    """Return the newest readout; empty where there is none yet."""
    with context.database.read() as read:
        newest = next(iter(findings.audits(read, "experiments", limit=1)), None)
    return {} if newest is None else {"at": newest.at, **newest.result}
