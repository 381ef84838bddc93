"""Who may come in where: every route names one scope, and a route without one is closed to everybody.

Who reads what is kept of people is entered in the ledger before they see it; where that fails, they see nothing.
"""

import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from threading import Lock
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from governance.api.limits import StrictRequest
from governance.api.repeats import KEY, Repeats
from governance.control import Control
from governance.own.person import end_user
from governance.warrants import Warrant
from storage import ledger, links, token_uses, tokens
from storage.database import Database
from storage.errors import FairleadError, Forbidden, Invalid, Problem, Unauthenticated
from storage.keys import Keys
from storage.passports import Passports, is_passport
from storage.records.access import Principal, Scope
from storage.records.clock import SECOND

PUBLIC: Final = "public"
SCOPE_KEY: Final = "x-scope"
SEEN_KEY: Final = "x-entered"
PERSONAL = frozenset({Scope.DECISION_READ, Scope.CONSENT_READ, Scope.AUDIT_READ, Scope.FAIRNESS_READ})
"""Reading by these scopes shows people one by one, or what must not be looked at unseen."""
SEEN_AGAIN_S = 300.0
"""The same person looking at the same thing again within so long is one look."""
_LOOKS = 10_000
_FRESH_S = 1.0
_READS = frozenset({"GET", "HEAD"})


class Gate:
    """Knows the holders of tokens: a new token is known at once, a revoked one refused within a second.

    Parameters
    ----------
    database
        Where tokens are.
    control
        Enters refused commands, and looks at people, in the ledger.
    keys
        Hide raw subjects in those entries.
    passports
        Judges tokens of an identity provider, where one is configured.
    """

    def __init__(self, database: Database, control: Control, keys: Keys, passports: Passports | None = None) -> None:
        self._passports = passports
        self._database = database
        self._control = control
        self._keys = keys
        self._lock = Lock()
        self._looks: OrderedDict[tuple[str, str, str], float] = OrderedDict()
        self._known: dict[str, Principal] = {}
        self._read_at = float("-inf")
        self._used: dict[str, int] = {}
        self._noted_at = float("-inf")
        self.repeats = Repeats(database, control.now)

    def _principal(self, header: str) -> Principal:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("send a bearer token in the Authorization header")
        if token.strip().startswith(links.PREFIX):
            subject = links.subject_of(self._keys, token.strip(), self._control.now())
            return end_user(subject)
        if self._passports is not None and is_passport(token.strip()):
            return self._passports.principal(token.strip())[0]
        key = tokens.hash_token(token.strip())
        with self._lock:
            if key not in self._known or time.monotonic() - self._read_at > _FRESH_S:
                with self._database.read() as read:
                    self._known = tokens.principals(read, self._control.now())
                self._read_at = time.monotonic()
            principal = self._known.get(key)
        if principal is None:
            raise Unauthenticated("this token is unknown, expired or revoked")
        self._note(principal.token_id)
        return principal

    def _note(self, token_id: str) -> None:
        """Remember that a token came in; once a minute that is written down, and who comes in never waits for more."""
        with self._lock:
            self._used[token_id] = self._control.now()
            if time.monotonic() - self._noted_at < token_uses.EVERY / SECOND:
                return
            used, self._used, self._noted_at = self._used, {}, time.monotonic()
        with contextlib.suppress(FairleadError), self._database.write() as write:
            token_uses.note(write, used)

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

    def look(self, request: Request, by: Principal, what: str) -> None:
        """Enter in the ledger that ``by`` reads what is kept of people."""
        route = request.scope["route"].path
        values = {name: str(value) for name, value in request.path_params.items()}
        if "subject" in values:
            values["subject"] = ledger.commitment(self._keys, values["subject"])
        key = "/".join(values.values())
        look, now = (by.name, route, key), time.monotonic()
        with self._lock:
            if now - self._looks.get(look, float("-inf")) < SEEN_AGAIN_S:
                return
        warrant = Warrant(by=by, reason=f"read by GET {route}", request_id=request_id(request))
        asked = {name: value for name, value in sorted(request.query_params.items()) if name != "subject"}
        self._control.viewed(what, warrant, key=key, asked=asked or None)
        with self._lock:
            self._looks[look] = now
            self._looks.move_to_end(look)
            while len(self._looks) > _LOOKS:
                self._looks.popitem(last=False)

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
        said = self.openapi_extra or {}
        scope, entered = str(said.get(SCOPE_KEY, "")), str(said.get(SEEN_KEY, ""))

        async def guarded(request: Request) -> Response:
            _refuse_nul(request)
            if scope != PUBLIC:
                if scope not in set(Scope):
                    raise Forbidden("this route names no scope, so nobody may use it")
                gate: Gate = request.app.state.gate
                request.state.principal = await run_in_threadpool(gate.admit, request, scope)
                if entered:
                    await run_in_threadpool(gate.look, request, request.state.principal, entered)
                if KEY in request.headers and request.method not in _READS:
                    return await gate.repeats.answer(StrictRequest(request.scope, request.receive), inner)
            return await inner(StrictRequest(request.scope, request.receive))

        return guarded


class Routes:
    """Declares routes, each with its scope.

    ``on("GET", "/me", Scope.READ)`` decorates a handler; ``answer`` is what the reference says it returns.
    """

    def __init__(self) -> None:
        self.router = APIRouter(route_class=GuardedRoute)

    def on(
        self,
        method: str,
        path: str,
        scope: Scope | str,
        *,
        status: int = 200,
        answer: Any = None,
        enters: bool = False,
    ) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        """Register a handler; one that ``enters`` the look itself, or shows nobody, is not entered again."""
        entered = path.split("/")[1] if method in _READS and scope in PERSONAL and not enters else ""

        def register(handler: Callable[..., Response]) -> Callable[..., Response]:
            self.router.add_api_route(
                path,
                handler,
                methods=[method],
                status_code=status,
                response_model=answer,
                openapi_extra={SCOPE_KEY: str(scope), SEEN_KEY: entered},
            )
            return handler

        return register
