"""The client of the control API, sign-in, and what every answer carries."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from dashboard import entrance, login
from dashboard.control import ControlClient, SignedOut, problem
from dashboard.headers import SecurityHeaders
from storage.errors import Conflict, Forbidden, Invalid, NeedsApproval, NotFound, Stale, Unavailable

EXPIRES = 4_000_000_000_000_000


class Answers(BaseHTTPRequestHandler):
    """A control API of two routes."""

    def do_POST(self):
        body = orjson.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.endswith("/auth/exchange") and body == {"once": "good"}:
            return self._say(200, {"token": "fl_session", "principal": "x", "expires_at": EXPIRES})
        if self.path.endswith("/auth/logout"):
            self.server.left.append(self.headers["authorization"])
            return self._say(200, {"revoked": True})
        return self._say(401, {"code": "FL-1401", "detail": "no such link"})

    def _say(self, status, body):
        data = orjson.dumps(body)
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def control() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.left = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def browse(url: str, path: str, **cookies: str) -> httpx.Response:
    """Ask the dashboard's own routes for a page, as a browser would, without following."""
    app = Starlette(routes=[*login.routes(url, 8501), *entrance.routes()], middleware=[Middleware(SecurityHeaders)])

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://dashboard", cookies=cookies) as client:
            return await client.get(path)

    return asyncio.run(ask())


def test_a_one_time_link_becomes_a_cookie_no_script_can_read(control):
    answer = browse(f"http://127.0.0.1:{control.server_port}", "/auth/once/good")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "fairlead_8501=fl_session" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "fl_session" not in answer.headers["location"] + answer.text


def test_a_used_link_signs_nobody_in(control):
    answer = browse(f"http://127.0.0.1:{control.server_port}", "/auth/once/used")
    assert answer.headers["location"] == "/?login=refused"
    assert "set-cookie" not in answer.headers


def test_sign_in_without_control_says_so():
    answer = browse("http://127.0.0.1:9", "/auth/once/good")
    assert answer.headers["location"] == "/?login=unreachable"


def test_signing_out_revokes_the_token_and_drops_the_cookie(control):
    answer = browse(f"http://127.0.0.1:{control.server_port}", "/auth/leave", fairlead_8501="fl_session")
    assert control.left == ["Bearer fl_session"]
    assert 'fairlead_8501=""' in answer.headers["set-cookie"]


@pytest.mark.parametrize("path", ["/", "/heatmaps", "/healthz", "/nowhere", "/_stcore/agent/openapi.json"])
def test_every_answer_is_guarded(path):
    answer = browse("http://127.0.0.1:9", path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"


def test_the_agent_routes_are_closed():
    assert browse("http://127.0.0.1:9", "/_stcore/agent/openapi.json").status_code == 404


def test_pages_are_told_where_their_server_is():
    page = browse("http://127.0.0.1:9", "/heatmaps").text
    assert "BACKEND_BASE_URL" in page
    assert "<title>Fairlead</title>" in page


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"detail": "gone"}, SignedOut),
        (403, {"detail": "no"}, Forbidden),
        (404, None, NotFound),
        (409, {"code": "FL-1409"}, Conflict),
        (409, {"code": "FL-1407"}, NeedsApproval),
        (412, {}, Stale),
        (422, {"detail": "reason: too short", "problems": [{"field": "reason", "message": "too short"}]}, Invalid),
        (503, "nonsense", Unavailable),
        (500, {}, Unavailable),
        (418, {}, Invalid),
    ],
)
def test_answers_become_errors_of_the_tree(status, body, kind):
    assert type(problem(status, body)) is kind


def test_the_client_carries_the_token_and_leaves_nothing_empty_behind():
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"ok": True})

    client = ControlClient(httpx.Client(base_url="http://control", transport=httpx.MockTransport(answer)), "fl_x")
    client.get("/ledger", actor=None, limit=5)
    client.post("/kill", {"on": True}, etag="e1")
    assert str(seen[0].url) == "http://control/control/v1/ledger?limit=5"
    assert seen[0].headers["authorization"] == "Bearer fl_x"
    assert seen[1].headers["if-match"] == "e1"


def test_silence_and_nonsense_are_unavailable():
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    client = ControlClient(httpx.Client(base_url="http://control", transport=httpx.MockTransport(silent)), "fl_x")
    with pytest.raises(Unavailable, match="does not answer"):
        client.get("/me")
    broken = httpx.MockTransport(lambda _: httpx.Response(502, text="<html>"))
    with pytest.raises(Unavailable):
        ControlClient(httpx.Client(base_url="http://control", transport=broken), "fl_x").download("/x")
