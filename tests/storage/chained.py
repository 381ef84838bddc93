"""A ledger of some entries, with an anchor after a few of them."""

from typing import Any

from storage import ledger
from storage.database import Write
from storage.keys import Keys
from storage.records.changes import LedgerEntry

SIZE = 12
ANCHORED = (4, 8)
"""After which entries an anchor was written."""


class Undo(Exception):
    """Ends a transaction without a commit."""


def add(write: Write, keys: Keys, number: int, **changed: Any) -> LedgerEntry:
    fields: dict[str, Any] = {
        "at": 1_000 + number,
        "actor": f"user-{number % 3}",
        "action": ("policy.activate", "campaign.pause")[number % 2],
        "object_kind": "policy",
        "object_key": f"key-{number}",
        "before": {"percent": number},
        "after": {"percent": number + 1, "note": 'line\r\n\x1b[31m{"forged": true}'},
        "reason": "because it is time",
    }
    return ledger.append(write, keys, **(fields | changed))
