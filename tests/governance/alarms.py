"""Alerts for tests: one that fires, and a receiver of messages that really listens."""

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from storage.records.alerts import Alert
from storage.records.clock import MINUTE

from .conftest import NOW


def firing(**more: Any) -> Alert:
    """An alert that fires."""
    told = {
        "alert_id": "a-1",
        "fingerprint": "check:errors",
        "name": "errors",
        "title": "Errors",
        "cause": "serving",
        "audience": "operation",
        "severity": "page",
        "sentence": "2.00 % of requests ended with an error of ours.",
        "since": NOW - MINUTE,
        "fired_at": NOW - MINUTE,
        "seen_at": NOW - MINUTE,
    }
    return Alert(**told | more)


@dataclass
class Webhook:
    """A web server of somebody else: what it was sent, and what it answers."""

    url: str = ""
    port: int = 0
    status: int = 200
    got: list[tuple[str, Any]] = field(default_factory=list)


@contextmanager
def webhook(status: int = 200) -> Iterator[Webhook]:
    """Listen on a free port of this machine and keep what is posted."""
    kept = Webhook(status=status)

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            kept.got.append((self.path, json.loads(body) if body else None))
            self.send_response(kept.status)
            self.send_header("content-length", "0")
            self.end_headers()

        do_POST = do_GET = _take  # noqa: N815  # their names

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_address[1]
    kept.url = f"http://127.0.0.1:{kept.port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mailbox:
    """A mail server: the letters it took."""

    port: int = 0
    letters: list[str] = field(default_factory=list)


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Speak just enough SMTP (RFC 5321) to take letters on a free port of this machine."""
    kept = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 test ready")
            while line := self.rfile.readline().decode().strip():
                verb = line.split(" ")[0].upper()
                if verb == "DATA":
                    self._say("354 go on")
                    lines = []
                    while (text := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                        lines.append(text)
                    kept.letters.append("\n".join(lines))
                self._say("221 bye" if verb == "QUIT" else "250 ok")
                if verb == "QUIT":
                    return

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    socketserver.ThreadingTCPServer.allow_reuse_address = True
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port
