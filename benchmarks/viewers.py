"""People who look at the dashboard, without their browsers: sessions over Streamlit's own protocol."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

MOST_BYTES = 64 << 20


@dataclass
class Viewer:
    """One open session. It asks again for what refreshes itself, as a browser does."""

    socket: ClientConnection
    address: str
    runs: int = 0
    finished: int = 0
    refreshes: dict[str, float] = field(default_factory=dict)
    """Fragment by the seconds after which it is to run again."""

    async def ask(self, page: str, query: str, fragment: str = "") -> None:
        """Ask for the page, or one fragment of it."""
        asked = BackMsg()
        asked.rerun_script.query_string = query
        asked.rerun_script.page_name = page
        asked.rerun_script.context_info.timezone = "UTC"
        asked.rerun_script.context_info.url = f"{self.address}/{page}"
        if fragment:
            asked.rerun_script.fragment_id = fragment
            asked.rerun_script.is_auto_rerun = True
        await self.socket.send(asked.SerializeToString())

    async def listen(self) -> None:
        """Take what comes, until the socket closes."""
        async for raw in self.socket:
            told = ForwardMsg()
            told.ParseFromString(raw if isinstance(raw, bytes) else raw.encode())
            kind = told.WhichOneof("type")
            if kind == "script_finished":
                self.finished += 1
            if kind == "auto_rerun":
                self.refreshes[told.auto_rerun.fragment_id] = told.auto_rerun.interval

    async def finish(self, *, within_s: float, count: int = 1) -> None:
        """Wait until so many runs have ended."""
        until = time.monotonic() + within_s
        while self.finished < count:
            if time.monotonic() > until:
                raise TimeoutError(f"no page within {within_s:g} s")
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def viewing(address: str, cookie: str, page: str, query: str = "") -> AsyncIterator[Viewer]:
    """Open a session that looks at one page."""
    url = f"{address.replace('http', 'ws', 1)}/_stcore/stream"
    headers = {"Cookie": cookie, "Origin": address}
    async with connect(url, additional_headers=headers, max_size=MOST_BYTES, subprotocols=["streamlit"]) as socket:
        viewer = Viewer(socket, address)
        listening = asyncio.create_task(viewer.listen())
        try:
            await viewer.ask(page, query)
            await viewer.finish(within_s=120)
            yield viewer
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening


async def refreshing(viewer: Viewer, page: str, query: str, *, for_s: float) -> int:
    """Let a session refresh itself for a while, as its page told it to; return how often it was drawn."""

    async def each(fragment: str, every_s: float) -> None:
        while True:
            try:
                async with asyncio.timeout_at(end):
                    await asyncio.sleep(every_s)
            except TimeoutError:
                return
            await viewer.ask(page, query, fragment)

    end, before = asyncio.get_running_loop().time() + for_s, viewer.finished
    await asyncio.gather(*(each(name, every) for name, every in viewer.refreshes.items()))
    return viewer.finished - before
