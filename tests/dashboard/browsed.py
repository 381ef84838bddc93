"""A real browser on the real dashboard, signed in, with a week of data and a control API that answers from a table."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import orjson
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from storage.database import Database
from storage.records.access import ROLES
from tests.chromium import find
from tests.dashboard.answers import ANSWERS
from tests.dashboard.filling import fill

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--no-first-run",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START = """
import sys
from pathlib import Path
from dashboard import cached
from dashboard.app import DashboardConfig, run
home, port, control = sys.argv[1:]
reading = cached._read
def noted(context, query, *rest):
    with open(f"{home}/readings", "a") as notes:
        print(query.__qualname__, file=notes)
    return reading(context, query, *rest)
cached._read = noted
sys.exit(run(DashboardConfig(home=Path(home), port=int(port), control_url=control,
                             database_url=f"sqlite:///{home}/fairlead.db")))
"""
ME = {"principal": "x", "role": "admin", "scopes": [scope.value for scope in ROLES["admin"]], "solo": False}


class Answers(BaseHTTPRequestHandler):
    """The control API of ``ANSWERS`` over HTTP."""

    def _say(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        path = urlsplit(self.path).path.removeprefix("/control/v1")
        known = {**ANSWERS, "/me": ME, "/auth/exchange": {"token": "fl_x", "expires_at": 4_000_000_000_000_000}}
        data = orjson.dumps(known.get(path, {"detail": "no such thing"}))
        self.send_response(200 if path in known else 404)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        self._say()

    def do_POST(self) -> None:
        self._say()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def control() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def readings(tmp_path_factory) -> Path:
    """A file of the dashboard's folder that names each reading that a panel asked for, in order."""
    return tmp_path_factory.mktemp("site") / "readings"


@pytest.fixture(scope="module")
def site(readings, _sqlite_template, control) -> Iterator[str]:
    home = readings.parent
    (home / "fairlead.db").write_bytes(_sqlite_template.read_bytes())
    database = Database(f"sqlite:///{home / 'fairlead.db'}")
    fill(database)
    database.close()
    port = free_port()
    command = [sys.executable, "-c", START, str(home), str(port), control]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/healthz", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, "the dashboard ended"
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    pytest.fail("the dashboard did not start within a minute")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = find()
    assert path, "no Chromium: set CHROMIUM, or install one"
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@dataclass
class Watched:
    """A signed-in page and what went wrong on it."""

    page: Page
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


@pytest.fixture
def watched(chromium, site) -> Iterator[Watched]:
    context = chromium.new_context(viewport={"width": 1440, "height": 1600})
    page = context.new_page()
    found = Watched(page=page)
    page.on("console", lambda one: found.errors.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda one: found.errors.append(str(one)))
    page.on("dialog", lambda one: (found.dialogs.append(one.message), one.dismiss()))
    page.on("request", lambda one: found.outside.append(one.url) if _outside(one.url, site) else None)
    page.goto(f"{site}/auth/once/anything")
    page.wait_for_selector("h1")
    yield found
    context.close()


def _outside(url: str, site: str) -> bool:
    return not url.startswith((site, site.replace("http", "ws"), "data:", "blob:"))


def open_page(watched: Watched, address: str) -> Page:
    watched.page.goto(address)
    watched.page.wait_for_selector("h1")
    # nothing runs before, too; a phone is given a button of its own, beside one that is hidden
    expect(watched.page.locator(".st-key-help button:visible").first).to_be_visible(timeout=60_000)
    at_rest(watched.page)
    return watched.page


def at_rest(page: Page) -> None:
    """Wait until nothing is being drawn."""
    expect(page.locator('[data-testid="stApp"]')).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=30_000
    )
