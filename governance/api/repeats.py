"""The same command twice is one effect and one answer: ``Idempotency-Key``, after the draft of the IETF's group on HTTP
(draft-ietf-httpapi-idempotency-key-header).

A command that was carried out is answered again with what it was answered first, for a day. A twin that is being
carried out, and a key that was used for something else, are refused. A refused command leaves its key free.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from storage import idempotency
from storage.database import Database
from storage.idempotency import Attempt
from storage.records.access import Principal

KEY: Final = "idempotency-key"
REPLAYED: Final = "idempotency-replayed"
MOST_KEPT = 256 * 1024
"""A longer answer is not kept; who sends its command again is told that it was carried out."""
_HEADERS = ("content-type", "cache-control", "x-content-type-options", "etag")


class Repeats:
    """Carries out named commands once.

    Parameters
    ----------
    database, now
        Where names and answers are kept, and the clock.
    """

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    async def answer(self, request: Request, inner: Callable[[Request], Awaitable[Response]]) -> Response:
        """Answer a named command: by carrying it out, or with what it was answered before."""
        body = await request.body()
        one = await run_in_threadpool(self._attempt, request, body)
        if isinstance(one, Response):
            return one
        request.state.attempt = one
        try:
            response = await inner(request)
        except BaseException:
            await run_in_threadpool(self._release, one)
            raise
        await run_in_threadpool(self._keep if response.status_code < 400 else self._release, one, response)
        return response

    def _attempt(self, request: Request, body: bytes) -> Attempt | Response:
        by: Principal = request.state.principal
        tag = request.headers.get("if-match", "")
        asked = "\0".join((request.method, request.url.path, request.url.query, tag)).encode() + b"\0" + body
        key = request.headers[KEY].strip().strip('"')
        one = idempotency.attempt(key, caller=f"{by.name}\0{by.subject}", request=asked)
        with self._database.write() as write:
            known = idempotency.begin(write, one, self._now())
        if known is None:
            return one
        head, _, said = known[1].partition(b"\n")
        return Response(said, status_code=known[0], headers={**orjson.loads(head), REPLAYED: "true"})

    def _keep(self, one: Attempt, response: Response) -> None:
        said = getattr(response, "body", None)
        if said is None or len(said) > MOST_KEPT:
            return
        kept = {name: response.headers[name] for name in _HEADERS if name in response.headers}
        with self._database.write() as write:
            idempotency.finish(write, one, response.status_code, orjson.dumps(kept) + b"\n" + bytes(said))

    def _release(self, one: Attempt, _response: Response | None = None) -> None:
        with self._database.write() as write:
            idempotency.release(write, one)
