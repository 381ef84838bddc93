"""Deadlines and bounds that uvicorn has not: headers and bodies must arrive in time, and headers must be small."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from scoring_core.edges.rest.exchange import WHOLE
from scoring_core.edges.rest.problems import raw_response

MAX_HEADER_BYTES = 64 << 10


class DeadlineProtocol(HttpToolsProtocol):
    """An HTTP/1.1 connection that closes, after a plain answer, when its client trickles.

    The common request arrives in one piece and arms no timer. ``header_s`` counts from the connection, or from the
    first byte of a later request, to the end of the headers; ``body_s`` from there to the end of the body.
    """

    header_s = 5.0
    body_s = 10.0
    on_rejected: Callable[[str], None] = staticmethod(lambda _reason: None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._waiting_for = ""
        self._stage = "headers"
        self._header_bytes = 0
        self._dated_for: list[tuple[bytes, bytes]] = []
        self._dated = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Start the clock: a connection that says nothing has no claim on us."""
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, then see whether something is still to come."""
        if self._stage in ("idle", "headers"):
            self._header_bytes += len(data)
            self._stage = "headers" if self._stage == "idle" else self._stage
        super().data_received(data)
        if self.transport.is_closing():
            self._disarm()
        elif self._stage == "headers" and self._header_bytes > MAX_HEADER_BYTES:
            self._refuse(431, "too_large", "The headers are larger than 64 KiB.")
        elif self._stage == "idle":
            self._disarm()
        elif self._timer is None or self._waiting_for != self._stage:
            self._arm()

    def on_message_begin(self) -> None:
        """Note that headers are coming."""
        self._stage = "headers"
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that a body may come."""
        self._stage = "body"
        self._header_bytes = 0
        super().on_headers_complete()
        self.scope[WHOLE] = partial(self._answer_whole, self.cycle)  # type: ignore[literal-required]  # an extension

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        self._stage = "idle"
        super().on_message_complete()

    def _answer_whole(self, cycle: RequestResponseCycle, head: bytes, body: bytes) -> bool:
        """Write a whole 200 in one piece; false where only the long way is safe."""
        if cycle.response_started or cycle.flow.write_paused or not cycle.keep_alive or cycle.scope["method"] == "HEAD":
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        if not cycle.disconnected:
            if self._dated_for is not cycle.default_headers:  # uvicorn makes a new list every second
                self._dated_for = cycle.default_headers
                self._dated = b"".join([b"%s: %s\r\n" % header for header in cycle.default_headers])
            cycle.transport.write(b"%b%bcontent-length: %d\r\n\r\n%b" % (head, self._dated, len(body), body))
            cycle.message_event.set()
            cycle.on_response()
        return True

    def _arm(self) -> None:
        self._disarm()
        self._waiting_for = self._stage
        self._timer = self.loop.call_later(self.header_s if self._stage == "headers" else self.body_s, self._late)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        what = "The headers" if self._stage == "headers" else "The body"
        self._refuse(408, "timeout", f"{what} did not arrive in time.")

    def _refuse(self, status: int, reason: str, detail: str) -> None:
        self.on_rejected(reason)
        self._disarm()
        if self.transport.is_closing():
            return
        cycle = self.cycle
        silent = cycle is None or cycle.response_complete if self._stage == "headers" else not cycle.response_started
        if silent:
            self.transport.write(raw_response(status, detail))
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()


def with_deadlines(*, header_s: float, body_s: float, on_rejected: Callable[[str], None]) -> type[asyncio.Protocol]:
    """Return a protocol class with these deadlines; ``on_rejected`` hears ``timeout`` or ``too_large``."""
    bound = type(
        "BoundDeadlineProtocol",
        (DeadlineProtocol,),
        {"header_s": header_s, "body_s": body_s, "on_rejected": staticmethod(on_rejected)},
    )
    return cast("type[asyncio.Protocol]", bound)
