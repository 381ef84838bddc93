"""The kill switch."""

from fastapi import APIRouter, Request, Response

from governance.api.answers import reply, warrant
from governance.api.bodies import Kill
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.installation import KILL, kill_switch
from governance.outcomes import Outcome
from storage.records.access import Scope


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/kill", Scope.READ)
    def killed() -> Response:
        """Show the kill switch."""
        with context.database.read() as read:
            return reply(kill_switch(read))

    @on.on("POST", "/kill", Scope.POLICY_APPLY, answer=Outcome)
    def kill(request: Request, body: Kill) -> Response:
        """Give everyone the default experience, at once; lifting it wants the environment's name typed."""
        kind = "kill.on" if body.on else "kill.off"
        return reply(control.do(kind, KILL, {}, warrant(request, body.reason, body.confirm)))

    return on.router
