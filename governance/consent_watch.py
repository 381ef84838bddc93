"""Looks at what was decided for anybody personalized who had opted out, by what the decision knew or by then."""

from collections.abc import Iterator, Sequence
from typing import Any

from governance.acknowledgement import LIMIT_S
from storage import consent, consent_probes, cursors
from storage.database import Database, Read
from storage.lake import Lake
from storage.records.clock import HOUR, MINUTE, SECOND
from storage.records.consent import ConsentChange, ConsentViolation, Purpose

CURSOR = "consent.watch"
LATE_US = MINUTE
"""Decisions are in the lake by then; those that come later are seen while the next looks overlap them."""
OVERLAP_US = 15 * MINUTE
AT_MOST_US = HOUR
"""So much is looked at in one go, so that a long absence is made up for in steps."""
GRACE_US = int(LIMIT_S * SECOND) + 2 * SECOND
"""How long after its commit an opt-out holds everywhere, and what wall clocks may differ by."""
_CHUNK = 5_000
_PERSONALIZED = """
SELECT decision_id, replica, subject, "at", consent_epoch FROM decisions
WHERE subject IS NOT NULL AND served_by <> 'default' AND policy IS NOT NULL
"""


def broken_opt_outs(database: Database, lake: Lake, *, now: int, fence: int | None = None) -> list[ConsentViolation]:
    """Look at the decisions since the last look and keep what is wrong with them; return what is new.

    Raises
    ------
    Conflict
        If another instance leads meanwhile; nothing is kept then.
    """
    with database.read() as read:
        text = cursors.position(read, CURSOR)
        since = int(text) if text is not None else now - AT_MOST_US
        until = min(now - LATE_US, since + AT_MOST_US)
        if until <= since:
            return []
        found = list(_violations(read, lake, start=since - OVERLAP_US, end=until, now=now))
    with database.write() as write:
        fresh = consent_probes.found(write, found)
        cursors.advance(write, CURSOR, before=text, after=str(until), fence=fence)
    return fresh


def _violations(read: Read, lake: Lake, *, start: int, end: int, now: int) -> Iterator[ConsentViolation]:
    with lake.connect(read, start=start, end=end, restricted=True) as duck:
        rows: Sequence[tuple[Any, ...]] = duck.execute(_PERSONALIZED).fetchall()
    for some in (rows[first : first + _CHUNK] for first in range(0, len(rows), _CHUNK)):
        said = consent.histories(read, sorted({row[2] for row in some}), Purpose.PERSONALIZATION)
        for decision_id, replica, subject, at, epoch in some:
            broken = broken_by(said.get(subject, ()), at=at, epoch=epoch)
            if broken is not None:
                yield ConsentViolation(
                    decision_id=str(decision_id),
                    detector="replay",
                    replica=str(replica),
                    at=int(at),
                    found_at=now,
                    epoch=broken.epoch,
                )


def broken_by(said: Sequence[ConsentChange], *, at: int, epoch: int) -> ConsentChange | None:
    """Return the opt-out that a personalized decision broke, or None.

    ``said`` is all that its person said, in order. One is broken that the decision knew (its epoch is not above the
    decision's) and nothing known took back; or one that held everywhere by then, though the decision did not know it.
    """
    known = [change for change in said if change.epoch <= epoch]
    if known and known[-1].state == "denied":
        return known[-1]
    settled = [change for change in said if change.at + GRACE_US < at]
    back = any(change.state == "granted" and at - GRACE_US <= change.at <= at + GRACE_US for change in said)
    return settled[-1] if settled and settled[-1].state == "denied" and not back else None
