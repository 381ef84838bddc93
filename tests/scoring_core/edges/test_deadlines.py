"""Clients that trickle are cut off in time, and nobody else notices."""

import socket
import time
from collections.abc import Iterator

import pytest

from tests.scoring_core.edges.running import Installed, Running, running

SLOW = 60


@pytest.fixture
def strict(installed: Installed) -> Iterator[Running]:
    with running(installed, header_s=0.5, body_s=0.8) as engine:
        yield engine


def connect(engine: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", engine.port), timeout=10)


def rest(sock: socket.socket) -> bytes:
    """Everything until the server closes."""
    found = b""
    try:
        while data := sock.recv(65_536):
            found += data
    except ConnectionResetError:
        pass
    return found


def test_slow_headers_are_cut_off_and_others_served(strict: Running) -> None:
    socks = [connect(strict) for _ in range(SLOW)]
    begun = time.monotonic()
    for n in range(4):
        for sock in socks:
            sock.sendall(b"POST /v1/personalize HTTP/1.1\r\nhost: x\r\n" if n == 0 else b"x-%d: y\r\n" % n)
        assert strict.decide(subject="u-1")["served_by"] == "model"
        time.sleep(0.05)
    answers = [rest(sock) for sock in socks]
    assert time.monotonic() - begun < 5.0
    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers)
    assert all(b"did not arrive in time" in answer for answer in answers)
    rejected = strict.replica.telemetry.rejections.child("timeout").value
    assert rejected == SLOW
    for sock in socks:
        sock.close()


def test_a_silent_connection_is_closed(strict: Running) -> None:
    sock = connect(strict)
    assert rest(sock).startswith(b"HTTP/1.1 408 ")
    sock.close()


def test_a_slow_body_is_cut_off(strict: Running) -> None:
    head = f"POST /v1/personalize HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {strict.token}\r\n".encode()
    socks = [connect(strict) for _ in range(SLOW // 2)]
    for sock in socks:
        sock.sendall(head + b"content-length: 100\r\n\r\n{")
    time.sleep(0.2)
    for sock in socks:
        sock.sendall(b" ")
    assert strict.decide(subject="u-1")["served_by"] == "model"
    answers = [rest(sock) for sock in socks]
    assert all(answer.startswith(b"HTTP/1.1 408 ") and b"The body did not" in answer for answer in answers)
    for sock in socks:
        sock.close()
    strict.until(lambda: strict.replica.in_flight == 0)


def test_a_second_request_on_a_connection_has_its_own_deadline(strict: Running) -> None:
    sock = connect(strict)
    sock.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    assert sock.recv(65_536).startswith(b"HTTP/1.1 200 ")
    time.sleep(0.9)
    sock.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    assert sock.recv(65_536).startswith(b"HTTP/1.1 200 ")
    sock.sendall(b"GET /heal")
    assert rest(sock).startswith(b"HTTP/1.1 408 ")
    sock.close()


def test_endless_headers_are_refused(strict: Running) -> None:
    sock = connect(strict)
    sock.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n")
    try:
        for n in range(80):
            sock.sendall(b"x-%d: %s\r\n" % (n, b"y" * 1_024))
    except OSError:
        pass
    assert rest(sock).startswith(b"HTTP/1.1 431 ")
    sock.close()


def test_what_is_no_http_is_answered_and_closed(strict: Running) -> None:
    sock = connect(strict)
    sock.sendall(b"\x16\x03\x01\x02\x00 this is no HTTP\r\n\r\n")
    assert rest(sock).startswith(b"HTTP/1.1 400 ")
    sock.close()


def test_pipelined_requests_are_answered_in_order(strict: Running) -> None:
    sock = connect(strict)
    sock.sendall(
        b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n" * 5
        + b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )
    answers = rest(sock)
    assert answers.count(b"HTTP/1.1 200 ") == 6
    assert answers.rindex(b'"ready"') > answers.rindex(b'"status"')
    sock.close()


def test_a_decision_is_whole_on_every_kind_of_connection(strict: Running) -> None:
    body = b'{"surface": "home"}'

    def request(version: bytes, *more: bytes) -> bytes:
        token = f"authorization: Bearer {strict.token}".encode()
        lines = [b"POST /v1/personalize HTTP/" + version, b"host: x", token, b"content-length: %d" % len(body), *more]
        return b"\r\n".join([*lines, b"", body])

    for version, more in ((b"1.1", (b"connection: close",)), (b"1.0", ())):
        sock = connect(strict)
        sock.sendall(request(version, *more))
        answer = rest(sock)
        head, _, told = answer.partition(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"connection: close" in head
        assert b'"decision_id"' in told
        sock.close()
    sock = connect(strict)
    sock.sendall(request(b"1.1") * 20 + request(b"1.1", b"connection: close"))
    answers = rest(sock)
    assert answers.count(b"HTTP/1.1 200 OK") == answers.count(b'"decision_id"') == answers.count(b"\r\ndate: ") == 21
    sock.close()
    sock = connect(strict)
    sock.sendall(request(b"1.1", b"expect: 100-continue"))
    time.sleep(0.2)
    assert b"HTTP/1.1 200 OK" in sock.recv(65_536)
    sock.close()
