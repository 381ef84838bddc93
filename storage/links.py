"""Links by which a person opens what is kept of them alone: signed, short-lived, kept nowhere."""

import base64
import binascii

import orjson

from storage.errors import Unauthenticated
from storage.keys import Keys
from storage.records.clock import MINUTE
from storage.records.document import canonical
from storage.signed import sign, verified

PREFIX = "fl_own."
LASTS = 15 * MINUTE
_KIND = "own"


def issue(keys: Keys, subject: str, now: int) -> tuple[str, int]:
    """Return a link's token for a raw subject, and until when it holds."""
    until = now + LASTS
    said = sign({"kind": _KIND, "subject": subject, "until": until}, keys)
    return PREFIX + base64.urlsafe_b64encode(canonical(said)).decode().rstrip("="), until


def subject_of(keys: Keys, token: str, now: int) -> str:
    """Return whose link this is.

    Raises
    ------
    Unauthenticated
        If it is not ours, or has ended.
    """
    text = token.removeprefix(PREFIX)
    try:
        said = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        said = None
    good = isinstance(said, dict) and said.get("kind") == _KIND and verified(said, keys.public_pem)
    if not good or not isinstance(said["until"], int) or said["until"] <= now:
        raise Unauthenticated("this link is unknown or has ended; ask for a new one where you got it")
    return str(said["subject"])
