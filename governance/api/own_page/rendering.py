"""Templates into pages: everything is escaped, and a browser may load nothing but the page's own style."""

from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from storage.records.clock import moment

FOLDER: Final = Path(__file__).parent / "templates"
STYLE: Final = Path(__file__).parent / "style.css"
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["day"] = day
    made.filters["when"] = when
    return made


def day(at: int, zone: str = "UTC") -> str:
    """Return a day as people write it.

    >>> day(0)
    '1 Jan 1970'
    """
    local = moment(at).astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b %Y}"


def when(at: int, zone: str = "UTC") -> str:
    """Return a moment as people write it, with whose clock it is.

    >>> when(0)
    '1 Jan 1970, 00:00 UTC'
    """
    local = moment(at).astimezone(ZoneInfo(zone) if zone != "UTC" else UTC)
    return f"{local.day} {local:%b %Y, %H:%M} {local.tzname() if local.tzname() in ('UTC', 'GMT') else zone}"


def page(template: str, *, status: int = 200, headers: dict[str, str] | None = None, **what: Any) -> Response:
    """Return a page."""
    text = _environment().get_template(template).render(**what)
    return Response(text, status_code=status, media_type="text/html", headers={**HEADERS, **(headers or {})})


def style() -> Response:
    """Return the style sheet."""
    headers = {**HEADERS, "cache-control": "public, max-age=3600"}
    return Response(STYLE.read_bytes(), media_type="text/css", headers=headers)
