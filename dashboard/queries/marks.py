"""What happened, to be drawn on charts: flips, kill switches, models, rules, restarts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from urllib.parse import urlencode

from dashboard.queries import turns
from dashboard.span import LABELS, Span
from storage import receipts, revisions
from storage.database import Read
from storage.records.clock import SECOND, iso
from storage.records.policies import Snapshot
from storage.windows import boots

LOOKED_BACK = 100
"""So many revisions are looked through at most."""
SERVING = frozenset({"policy", "kill switch", "model", "rule", "cap", "campaign"})
"""What changes what people are served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened at an instant and may explain a change; ``revision`` is that of a change of control,
    ``page`` shows what is none."""

    at: int
    text: str
    revision: int | None = None
    page: str = "system"

    def address(self) -> str:
        """Return where it is written down: the two seconds of the ledger that hold it, or its page.

        >>> Mark(at=0, text="engine-0 started").address()
        '/system'
        """
        if self.revision is None:
            return f"/{self.page}"
        window = {"from": iso(self.at - SECOND), "to": iso(self.at + SECOND), "tz": "UTC", "v": "1"}
        return f"/ledger?{urlencode({'range': LABELS['fixed']} | window)}"


def flips(read: Read, *, span: Span) -> list[Mark]:
    """Return what a range changed in what people are served, as far back as is looked."""
    chain = revisions.between(read, span.start, span.end, most=LOOKED_BACK)
    if chain and chain[0].revision == 1:
        chain.insert(0, Snapshot(revision=0, at=0))
    return [
        Mark(at=one.at, text=one.text, revision=one.revision)
        for old, new in pairwise(chain)
        for one in turns.between(old, new)
        if one.kind in SERVING
    ]


def marks(read: Read, *, span: Span, most: int = 8) -> tuple[Mark, ...]:
    """Return what happened within a range, the newest few, in order of time."""
    known = receipts.receipts(read)
    found = [Mark(at=one.started_at, text=f"{one.replica} started") for one in known if one.started_at]
    said = {one.boot_id for one in known}
    found += [
        Mark(at=one.start, text=f"{one.replica} started")
        for one in boots(read, span.start, span.end)
        if one.boot_id not in said
    ]
    found += flips(read, span=span)
    inside = sorted((mark for mark in found if span.start <= mark.at < span.end), key=lambda mark: mark.at)
    return apart(inside, span.width // 30)[-most:]


def apart(found: Sequence[Mark], least_us: int) -> tuple[Mark, ...]:
    """Put marks that are too close to be read apart together: the last one, and how many came just before it.

    >>> [one.text for one in apart([Mark(at=0, text="a"), Mark(at=1, text="b"), Mark(at=9, text="c")], 5)]
    ['b, 1 before', 'c']
    """
    groups: list[list[Mark]] = []
    for mark in found:
        if groups and mark.at - groups[-1][0].at < least_us:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return tuple(
        replace(group[-1], text=group[-1].text + (f", {len(group) - 1} before" if len(group) > 1 else ""))
        for group in groups
    )
