"""The client against a real server: deadlines, size, redirects, every refusal a value."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from collectors.client import Client, Failure
from collectors.journal import poll_journal
from collectors.poll import poll_metrics
from collectors.targets import Target
from storage.lake import Lake


class Peer(BaseHTTPRequestHandler):
    """Answers by path; remembers what it was asked."""

    asked: list[tuple[str, dict[str, str]]]

    def do_GET(self):
        path = self.path.partition("?")[0]
        type(self).asked.append((self.path, dict(self.headers)))
        if path == "/drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            self._drip(b"x")
        elif path == "/drip-head":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
            self._drip(b"y")
        elif path == "/huge":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            try:
                for _ in range(500):
                    self.wfile.write(b"z" * (1 << 20))
            except OSError:
                pass
        elif path == "/moved":
            self.send_response(302)
            self.send_header("location", "/ok")
            self.end_headers()
        elif path == "/ok":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"fine")
        else:
            self.send_error(500)

    def _drip(self, byte):
        try:
            while True:
                self.wfile.write(byte)
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass

    def log_message(self, *_):
        """Keep the test's output clean."""


@pytest.fixture
def server():
    Peer.asked = []
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def get(client, url, path):
    return client.get(f"{url}{path}", params={"after": "b:1"}, accept="application/json")


def test_a_body_comes_back_and_the_token_went_along(server):
    assert get(Client("secret"), server, "/ok") == b"fine"
    path, headers = Peer.asked[0]
    assert path == "/ok?after=b%3A1"
    sent = {name.lower(): value for name, value in headers.items()}
    assert sent["authorization"] == "Bearer secret"
    assert sent["accept-encoding"] == "identity"


@pytest.mark.parametrize("path", ["/drip", "/drip-head"])
def test_a_peer_that_drips_cannot_stretch_the_deadline(server, path):
    began = time.monotonic()
    answer = get(Client("t", total_s=0.5), server, path)
    assert isinstance(answer, Failure)
    assert answer.result == "timeout"
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(("path", "result"), [("/huge", "too_large"), ("/moved", "http"), ("/broken", "http")])
def test_what_is_no_answer_is_named(server, path, result):
    answer = get(Client("t"), server, path)
    assert isinstance(answer, Failure)
    assert answer.result == result


def test_nobody_there_is_a_value_too():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answer = get(Client("t"), f"http://127.0.0.1:{port}", "/ok")
    assert isinstance(answer, Failure)
    assert answer.result == "http"
    assert isinstance(get(Client("t"), "http://[", "/ok"), Failure)


def test_polls_note_what_failed_and_store_nothing(server, sqlite_database, home):
    target = Target(replica="r0", url=server)
    scrape = poll_metrics(sqlite_database, target, Client("t"), now=lambda: 5)
    assert (scrape.result, scrape.detail) == ("http", "status 500")
    poll = poll_journal(sqlite_database, Lake(home / "lake"), target, Client("t"), now=lambda: 5)
    assert (poll.scrape.result, poll.landed) == ("http", 0)
