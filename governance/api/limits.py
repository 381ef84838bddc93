"""What a request may weigh and how long its body may take."""

import asyncio
from json import JSONDecodeError

import orjson
from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from governance.api.problems import problem

MAX_BODY = 1024 * 1024
BODY_S = 10.0
MAX_DEPTH = 64


class BoundedBody:
    """Reads a body before anything else does: at most 1 MiB, within ten seconds.

    Parameters
    ----------
    app
        The application behind it.
    """

    def __init__(self, app: ASGIApp, *, limit: int = MAX_BODY, seconds: float = BODY_S) -> None:
        self._app = app
        self._limit = limit
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._read(receive)
        except TimeoutError:
            await problem(408, "the body did not arrive in time", headers={"connection": "close"})(scope, receive, send)
            return
        if body is None:
            refusal = problem(413, f"a body may hold {self._limit} bytes", headers={"connection": "close"})
            await refusal(scope, receive, send)
            return
        sent = False

        async def replay() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    async def _read(self, receive: Receive) -> bytes | None:
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return b""
            part = message.get("body", b"")
            size += len(part)
            if size > self._limit:
                return None
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)


def _depth(body: bytes) -> int:
    """Return how deep brackets nest, strings included: an upper bound that costs one pass."""
    deepest = depth = 0
    for byte in body.translate(None, delete=bytes(set(range(256)) - set(b"[]{}"))):
        depth += 1 if byte in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def strict_json(body: bytes) -> object:
    """Read JSON without NaN, infinities, NUL characters or absurd depth.

    Raises
    ------
    json.JSONDecodeError
        Without a word of the body.
    """
    if b"\\u0000" in body:
        raise JSONDecodeError("holds a NUL character", "", 0)
    if _depth(body) > MAX_DEPTH:
        raise JSONDecodeError(f"is nested deeper than {MAX_DEPTH} levels", "", 0)
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise JSONDecodeError("is no valid JSON; NaN and infinities are none", "", 0) from None
    return value


class StrictRequest(Request):
    """A request whose JSON is read strictly, whatever content type it names."""

    async def json(self) -> object:
        """Return the body as JSON."""
        return strict_json(await self.body())
