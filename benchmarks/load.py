"""An open-loop HTTP load: requests leave on schedule whether or not earlier ones were answered."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Answers:
    """What came back: seconds from the scheduled departure to the last byte, and statuses counted."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    elapsed: float = 0.0


class Connection(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection, one request at a time."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]  # a stream protocol is given a Transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request that waits, and every later one."""
        self.closed = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionError("closed"))

    def data_received(self, data: bytes) -> None:
        """Collect until one whole answer is there; answers carry a content length."""
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0 or self._waiting is None or self._waiting.done():  # nobody waits any more
            return
        lines = bytes(self._buffer[:head]).lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        if len(self._buffer) >= head + 4 + length:
            status, body = int(lines[0].split()[1]), bytes(self._buffer[head + 4 : head + 4 + length])
            self._buffer.clear()
            self._waiting.set_result((status, body))

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Send one request and return status and body. Raises ``ConnectionError`` when the server hung up."""
        if self.closed:
            raise ConnectionError("closed")
        self._waiting = asyncio.get_running_loop().create_future()
        assert self._transport is not None
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()


async def connect(port: int) -> Connection:
    """Open a connection to a server of this machine."""
    _, protocol = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return protocol


def post(path: str, body: bytes, token: str = "") -> bytes:
    """Return a whole HTTP request."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def open_loop(
    port: int, requests: Sequence[bytes], *, rate: float, seconds: float, connections: int = 32
) -> Answers:
    """Send at ``rate`` per second for ``seconds``, over at most ``connections`` sockets; queueing shows as latency."""
    idle: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(connections):
        idle.put_nowait(await connect(port))
    answers = Answers()

    async def one(number: int, due: float) -> None:
        connection = await idle.get()
        status, _ = await connection.send(requests[number % len(requests)])
        answers.seconds.append(time.perf_counter() - due)
        answers.statuses[status] = answers.statuses.get(status, 0) + 1
        idle.put_nowait(connection)

    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            due = start + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            group.create_task(one(number, due))
    answers.elapsed = time.perf_counter() - start
    while not idle.empty():
        idle.get_nowait().close()
    return answers


async def closed_loop(
    port: int, requests: Sequence[bytes], *, seconds: float, connections: int = 16, once: bool = False
) -> Answers:
    """Send as fast as ``connections`` workers are answered: the capacity of the server. With ``once`` no request is
    sent a second time and the load ends when all are sent."""
    answers = Answers()
    end = time.perf_counter() + seconds

    async def worker(offset: int) -> None:
        connection = await connect(port)
        number = offset
        while time.perf_counter() < end and not (once and number >= len(requests)):
            begin = time.perf_counter()
            status, _ = await connection.send(requests[number % len(requests)])
            answers.seconds.append(time.perf_counter() - begin)
            answers.statuses[status] = answers.statuses.get(status, 0) + 1
            number += connections
        connection.close()

    start = time.perf_counter()
    await asyncio.gather(*(worker(offset) for offset in range(connections)))
    answers.elapsed = time.perf_counter() - start
    return answers
