"""A replica behind a real socket: metric windows and a journal, for who carries the token."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.collectors.engines import Engine
from tests.collectors.journals import Journal


@contextmanager
def serve(engine: Engine, journal: Journal, *, token: str = "secret") -> Iterator[str]:
    """Serve until the block ends; gives the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            if self.headers["authorization"] != f"Bearer {token}":
                self.send_error(401)
                return
            if parts.path == "/v1/metrics/windows":
                body = engine.answer(asked.get("after", ""))
            elif parts.path == "/v1/journal":
                body = journal.answer(int(asked["after"]), int(asked["limit"]))
            else:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()
