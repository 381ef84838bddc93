"""Who may come in where: every route names one scope, and a route without one is closed to everybody."""

import time
from collections.abc import Callable, Coroutine
from threading import Lock
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from governance.api.limits import StrictRequest
from governance.control import Control
from governance.warrants import Warrant
from storage import tokens
from storage.database import Database
from storage.errors import Forbidden, Invalid, Problem, Unauthenticated
from storage.records.access import Principal, Scope

PUBLIC: Final = "public"
SCOPE_KEY: Final = "x-scope"
_FRESH_S = 1.0
_READS = frozenset({"GET", "HEAD"})


class Gate:
    """Knows the holders of tokens: a new token is known at once, a revoked one refused within a second.

    Parameters
    ----------
    database
        Where tokens are.
    control
        Enters refused commands in the ledger.
    """

    def __init__(self, database: Database, control: Control) -> None:
        self._database = database
        self._control = control
        self._lock = Lock()
        self._known: dict[str, Principal] = {}
        self._read_at = float("-inf")

    def _principal(self, header: str) -> Principal:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("send a bearer token in the Authorization header")
        key = tokens.hash_token(token.strip())
        with self._lock:
            if key not in self._known or time.monotonic() - self._read_at > _FRESH_S:
                with self._database.read() as read:
                    self._known = tokens.principals(read, self._control.now())
                self._read_at = time.monotonic()
            principal = self._known.get(key)
        if principal is None:
            raise Unauthenticated("this token is unknown, expired or revoked")
        return principal

    def admit(self, request: Request, scope: str) -> Principal:
        """Return who calls, if they may; a refused command is entered in the ledger.

        Raises
        ------
        Unauthenticated, Forbidden
            Otherwise.
        """
        principal = self._principal(request.headers.get("authorization", ""))
        if scope not in principal.scopes:
            refusal = Forbidden(f"this needs the scope {scope}")
            if request.method not in _READS:
                route = request.scope["route"].path
                key = ",".join(str(value) for value in request.path_params.values())
                warrant = Warrant(by=principal, request_id=request_id(request))
                self._control.denied(f"{request.method} {route}", "route", key, warrant, refusal)
            raise refusal
        return principal

    def forget(self) -> None:
        """Read the tokens anew at the next request."""
        with self._lock:
            self._read_at = float("-inf")


def request_id(request: Request) -> str:
    """Return the caller's id of a request, cut to what a ledger entry bears."""
    return "".join(letter for letter in request.headers.get("x-request-id", "") if letter.isprintable())[:64]


def _refuse_nul(request: Request) -> None:
    if "\x00" in request.url.path or "%00" in str(request.url.query) or "\x00" in str(request.path_params):
        raise Invalid("address: holds a NUL character", problems=(Problem(field="address", message="holds NUL"),))


class GuardedRoute(APIRoute):
    """A route that asks the gate before a byte of the body is looked at."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the guarded handler."""
        inner = super().get_route_handler()
        scope = str((self.openapi_extra or {}).get(SCOPE_KEY, ""))

        async def guarded(request: Request) -> Response:
            _refuse_nul(request)
            if scope != PUBLIC:
                if scope not in set(Scope):
                    raise Forbidden("this route names no scope, so nobody may use it")
                gate: Gate = request.app.state.gate
                request.state.principal = await run_in_threadpool(gate.admit, request, scope)
            return await inner(StrictRequest(request.scope, request.receive))

        return guarded


class Routes:
    """Declares routes, each with its scope.

    ``on("GET", "/me", Scope.READ)`` decorates a handler; ``answer`` is what the reference says it returns.
    """

    def __init__(self) -> None:
        self.router = APIRouter(route_class=GuardedRoute)

    def on(
        self, method: str, path: str, scope: Scope | str, *, status: int = 200, answer: Any = None
    ) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        """Register a handler."""

        def register(handler: Callable[..., Response]) -> Callable[..., Response]:
            self.router.add_api_route(
                path,
                handler,
                methods=[method],
                status_code=status,
                response_model=answer,
                openapi_extra={SCOPE_KEY: str(scope)},
            )
            return handler

        return register
