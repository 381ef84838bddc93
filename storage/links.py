"""Links by which a person opens what is kept of them alone: signed, short-lived, kept nowhere."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from storage.errors import Unauthenticated
from storage.keys import Keys
from storage.records.clock import MINUTE
from storage.records.document import canonical
from storage.signed import sign, verified

PREFIX = "fl_own."
LASTS = 15 * MINUTE
VISITING = "fl_me."
STAYS = 30 * MINUTE
"""A page that a link opened stays open so long."""
_KIND, _VISIT = "own", "visit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Whose page is open, by which link (``mark``), and until when."""

    subject: str
    mark: str
    until: int


def issue(keys: Keys, subject: str, now: int) -> tuple[str, int]:
    """Return a link's token for a raw subject, and until when it holds."""
    until = now + LASTS
    return _packed(keys, PREFIX, {"kind": _KIND, "subject": subject, "until": until}), until


def mark_of(token: str) -> str:
    """Return the name of a link in the ledger; nobody can tell the link from it.

    >>> len(mark_of("fl_own.example"))
    16
    """
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def subject_of(keys: Keys, token: str, now: int) -> str:
    """Return whose link this is.

    Raises
    ------
    Unauthenticated
        If it is not ours, or has ended.
    """
    return str(_said(keys, token, PREFIX, _KIND, now)["subject"])


def visit(keys: Keys, subject: str, mark: str, now: int) -> str:
    """Return what the browser that opened a link shows from then on."""
    return _packed(keys, VISITING, {"kind": _VISIT, "subject": subject, "mark": mark, "until": now + STAYS})


def visit_of(keys: Keys, token: str, now: int) -> Visit:
    """Return whose page a browser has open.

    Raises
    ------
    Unauthenticated
        If it shows nothing of ours, or its time is over.
    """
    said = _said(keys, token, VISITING, _VISIT, now)
    return Visit(subject=str(said["subject"]), mark=str(said["mark"]), until=said["until"])


def _packed(keys: Keys, prefix: str, said: Mapping[str, Any]) -> str:
    return prefix + base64.urlsafe_b64encode(canonical(sign(said, keys))).decode().rstrip("=")


def _said(keys: Keys, token: str, prefix: str, kind: str, now: int) -> Mapping[str, Any]:
    text = token.removeprefix(prefix)
    try:
        said = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        said = None
    good = isinstance(said, dict) and said.get("kind") == kind and verified(said, keys.public_pem)
    if not good or not isinstance(said["until"], int) or said["until"] <= now:
        raise Unauthenticated("this link is unknown or has ended; ask for a new one where you got it")
    found: Mapping[str, Any] = said
    return found
