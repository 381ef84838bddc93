"""RFC 9457 problem details with a stable code; what the caller sent is never part of them."""

from collections.abc import Sequence
from http import HTTPStatus

import msgspec

from storage.errors import Problem

CODES = {
    400: "FL-1400",
    401: "FL-1401",
    403: "FL-1403",
    404: "FL-1404",
    405: "FL-1405",
    408: "FL-1408",
    413: "FL-1413",
    415: "FL-1415",
    422: "FL-1422",
    431: "FL-1431",
    500: "FL-1500",
    503: "FL-1503",
}
CONTENT_TYPE = b"application/problem+json"
SHOWN = 20
"""How many problems one answer names; a hostile body has many."""

_encode = msgspec.json.Encoder().encode


class Refused(Exception):  # a refusal of a request, turned into its answer at the edge
    """The request gets this answer and nothing else happens."""

    def __init__(
        self, status: int, detail: str, *, problems: Sequence[Problem] = (), code: str = "", reason: str = "invalid"
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.problems = tuple(problems)
        self.code = code or CODES[status]
        self.reason = reason


def body_of(status: int, detail: str, *, problems: Sequence[Problem] = (), code: str = "") -> bytes:
    """Return a problem document as JSON."""
    code = code or CODES[status]
    return _encode(
        {
            "type": f"urn:fairlead:problem:{code}",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "code": code,
            "detail": detail,
            "problems": [{"field": each.field, "message": each.message} for each in problems[:SHOWN]],
        }
    )


def raw_response(status: int, detail: str) -> bytes:
    """Return a whole HTTP/1.1 answer that ends its connection, for a request that never became one."""
    body = body_of(status, detail)
    return b"HTTP/1.1 %d %s\r\ncontent-type: %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (
        status,
        HTTPStatus(status).phrase.encode(),
        CONTENT_TYPE,
        len(body),
        body,
    )
