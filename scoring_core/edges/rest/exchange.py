"""One HTTP exchange on the hot path: headers in one pass, a bounded body, the answer in two messages."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from scoring_core.edges.rest.problems import CONTENT_TYPE, Refused, body_of

JSON = b"application/json"


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
WHOLE = "fairlead.whole"
"""Where a request's scope may hold a short way to answer it: one write instead of two messages."""


def _never(_head: bytes, _body: bytes) -> bool:
    return False


class Gone(Exception):  # the caller hung up, or was cut off by a deadline: nobody is there to answer
    """The client is no longer there."""


class Headers:
    """The headers that a hot route looks at."""

    __slots__ = ("authorization", "encoding", "gpc", "length", "media", "whole")

    def __init__(self, scope: Scope) -> None:
        self.whole: Callable[[bytes, bytes], bool] = scope.get(WHOLE, _never)
        self.authorization = self.encoding = self.media = b""
        self.gpc = False
        self.length = -1
        for name, value in scope["headers"]:
            if name == b"authorization":
                self.authorization = value
            elif name == b"content-length":
                self.length = int(value) if value.isdigit() else -1
            elif name == b"content-type":
                self.media = value
            elif name == b"content-encoding":
                self.encoding = value
            elif name == b"sec-gpc":
                self.gpc = value.strip() == b"1"


async def read_body(headers: Headers, receive: Receive, limit: int) -> bytes:
    """Return the body, never holding more than ``limit`` bytes of it.

    Raises
    ------
    Refused
        413 as soon as the limit is passed or announced to be, 415 for an encoded body.
    Gone
        If the client left before the end.
    """
    if headers.length > limit:
        raise _too_large(limit)
    if headers.encoding not in (b"", b"identity"):
        raise Refused(415, "Send the body without a content encoding.")
    message: Any = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit:
            raise _too_large(limit)
        return body
    parts, size = [body], len(body)
    while message.get("more_body", False):
        if size > limit:
            raise _too_large(limit)
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    if size > limit:
        raise _too_large(limit)
    return b"".join(parts)


async def sent(request: Request, limit: int) -> bytes:
    """Return the body of a request that Starlette routed; bounded as on the hot path.

    Raises
    ------
    Refused, Gone
        As ``read_body`` does.
    """
    return await read_body(Headers(request.scope), request.receive, limit)


def _too_large(limit: int) -> Refused:
    return Refused(413, f"The body is larger than {limit} bytes.", reason="too_large")


async def answer(
    send: Send,
    body: bytes,
    status: int = 200,
    *,
    media: bytes = JSON,
    extra: tuple[tuple[bytes, bytes], ...] = (),
) -> None:
    """Send a whole answer."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", media), (b"content-length", b"%d" % len(body)), *extra],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def answer_well(send: Send, headers: Headers, body: bytes) -> None:
    """Send a 200 the short way if the server has one."""
    if not headers.whole(HEAD, body):
        await answer(send, body)


_EXTRA: dict[int, tuple[tuple[bytes, bytes], ...]] = {
    401: ((b"www-authenticate", b'Bearer realm="fairlead"'),),
    408: ((b"connection", b"close"),),
    503: ((b"retry-after", b"1"),),
}


async def answer_refused(send: Send, refused: Refused) -> None:
    """Send the problem document of a refusal."""
    body = body_of(refused.status, refused.detail, problems=refused.problems, code=refused.code)
    await answer(send, body, refused.status, media=CONTENT_TYPE, extra=_EXTRA.get(refused.status, ()))
