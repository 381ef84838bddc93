"""The client of the control API: every command, and all that is read per subject, per decision or of the ledger."""

from collections.abc import Mapping
from typing import Any, Protocol

import httpx

from storage.errors import (
    Conflict,
    FairleadError,
    Forbidden,
    Invalid,
    NeedsApproval,
    NotFound,
    Problem,
    Stale,
    Unavailable,
)

PREFIX = "/control/v1"
ONCE = "idempotency-key"
PATIENCE: Mapping[str, float] = {"/me": 3.0, "/policies": 3.0, "/changes": 3.0, "/system": 3.0, "/decisions": 8.0}
"""Seconds that a page waits for what control can answer soon, so that a control that hangs holds up no page."""
SILENT = "the control API does not answer; the engine goes on serving. fairlead doctor says more"
_BY_STATUS: Mapping[int, type[FairleadError]] = {
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: Stale,
    503: Unavailable,
}


class Control(Protocol):
    """What pages ask of the control API. Paths are below ``/control/v1``; answers are plain JSON.

    Both raise the tree of ``storage.errors`` as the API answered, ``Unavailable`` when it did not.
    """

    def get(self, path: str, /, **query: Any) -> Any:
        """Read; ``None`` among ``query`` is left out."""

    def post(self, path: str, body: Mapping[str, Any], /, *, etag: str | None = None, once: str = "") -> Any:
        """Command; ``etag`` is what was read (``If-Match``), ``once`` names the command (``Idempotency-Key``)."""

    def put(self, path: str, body: Mapping[str, Any], /, *, etag: str, once: str = "") -> Any:
        """Replace what was read as ``etag``."""

    def delete(self, path: str, body: Mapping[str, Any], /, *, etag: str, once: str = "") -> Any:
        """Delete what was read as ``etag``; ``body`` says why."""

    def download(self, path: str, /) -> bytes:
        """Read a file."""


class SignedOut(Forbidden):
    """The token is unknown, expired or revoked."""


def problem(status: int, body: Any) -> FairleadError:
    """Return the error that a problem document means.

    >>> problem(409, {"code": "FL-1407", "detail": "a second person must agree"})
    NeedsApproval('a second person must agree')
    """
    document = body if isinstance(body, Mapping) else {}
    detail = str(document.get("detail") or document.get("title") or f"the control API answered {status}")
    if status == 401:
        return SignedOut(detail)
    if status == 422:
        listed = document.get("problems") or ()
        return Invalid(
            detail,
            problems=tuple(Problem(field=str(one["field"]), message=str(one["message"])) for one in listed),
        )
    if document.get("code") == NeedsApproval.code:
        return NeedsApproval(detail)
    return _BY_STATUS.get(status, Unavailable if status >= 500 else Invalid)(detail)


def _told(etag: str | None, once: str) -> dict[str, str]:
    return ({"if-match": etag} if etag else {}) | ({ONCE: once} if once else {})


class ControlClient:
    """``Control`` over HTTP with the reader's own token; control decides what it may.

    Parameters
    ----------
    http
        A client whose base URL is the control API's server; shared by all sessions.
    token
        The bearer token of the person who looks.
    """

    def __init__(self, http: httpx.Client, token: str) -> None:
        self._http = http
        self._headers = {"authorization": f"Bearer {token}"}

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = self._headers | options.pop("headers", {})
        try:
            answer = self._sent(method, path, headers, options)
        except httpx.HTTPError:
            raise Unavailable(SILENT) from None
        if answer.is_success:
            return answer
        try:
            body = answer.json()
        except ValueError:
            body = None
        raise problem(answer.status_code, body)

    def _sent(self, method: str, path: str, headers: Mapping[str, str], options: Mapping[str, Any]) -> httpx.Response:
        """Send a request; a named command whose connection broke is sent once more, and done once all the same."""
        try:
            return self._http.request(method, PREFIX + path, headers=dict(headers), **options)
        except (httpx.RemoteProtocolError, httpx.ReadError):
            if ONCE not in headers:
                raise
        return self._http.request(method, PREFIX + path, headers=dict(headers), **options)

    def get(self, path: str, /, **query: Any) -> Any:
        """Read; ``None`` among ``query`` is left out."""
        asked = {key: value for key, value in query.items() if value is not None}
        patience = {"timeout": PATIENCE[path]} if path in PATIENCE else {}
        return self._ask("GET", path, params=asked, **patience).json()

    def post(self, path: str, body: Mapping[str, Any], /, *, etag: str | None = None, once: str = "") -> Any:
        """Command; ``etag`` is what was read (``If-Match``), ``once`` names the command (``Idempotency-Key``)."""
        return self._ask("POST", path, json=dict(body), headers=_told(etag, once)).json()

    def put(self, path: str, body: Mapping[str, Any], /, *, etag: str, once: str = "") -> Any:
        """Replace what was read as ``etag``."""
        return self._ask("PUT", path, json=dict(body), headers=_told(etag, once)).json()

    def delete(self, path: str, body: Mapping[str, Any], /, *, etag: str, once: str = "") -> Any:
        """Delete what was read as ``etag``; ``body`` says why."""
        return self._ask("DELETE", path, json=dict(body), headers=_told(etag, once)).json()

    def download(self, path: str, /) -> bytes:
        """Read a file."""
        return self._ask("GET", path).content
