"""The control API on a real port, and people who call it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn

from governance.control import Control

from .conftest import warrant

BASE = "/control/v1"


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an application on a free port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


class Person:
    """One caller with one token; ``person.get("/me")`` asks below ``/control/v1``."""

    def __init__(self, client: httpx.Client, token: str) -> None:
        self._client = client
        self.token = token

    def __getattr__(self, method: str) -> Callable[..., httpx.Response]:
        def ask(path: str, *, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
            sent = {"authorization": f"Bearer {self.token}", **(headers or {})}
            return self._client.request(method.upper(), BASE + path, headers=sent, **more)

        return ask


class People:
    """Callers by name and role, over one API."""

    def __init__(self, control: Control, client: httpx.Client) -> None:
        self._control = control
        self.client = client

    def token(self, name: str, role: str = "admin", scopes: tuple[str, ...] | None = None) -> str:
        minted = self._control.mint(
            name=f"{name}'s", principal=name, role=role, scopes=scopes, expires_in_s=None, warrant=warrant("root")
        )
        return minted.token

    def __call__(self, name: str, role: str = "admin", scopes: tuple[str, ...] | None = None) -> Person:
        return Person(self.client, self.token(name, role, scopes))
