"""Is the ledger whole, and do anchors outside the database follow it."""

from governance.checks.check import Check, Finding, Ground, unknown
from storage import ledger
from storage.records.clock import MINUTE, SECOND
from storage.records.findings import Verdict

LATE, MISSING = 2 * MINUTE, 10 * MINUTE
"""How long an entry may stand before an anchor confirms it."""


def look(ground: Ground) -> Finding:
    """Verify every entry, link and anchor, and see how old the oldest unconfirmed entry is."""
    found = ledger.verify(ground.read, keys=ground.keys, anchors=ground.anchors)
    figures = {"entries": found.entries, "anchored_to": found.anchored_to, "first_bad": found.first_bad}
    if not found.ok:
        sentence = f"{found.reason[:1].upper()}{found.reason[1:]}. Keep database and anchors as they are; find out who."
        return Finding(verdict="fail", sentence=sentence, figures=figures)
    if not found.entries:
        return unknown("The ledger is empty.")
    age = 0
    if found.anchored_to < found.entries:
        # ``before_seq`` pages from the newest; the oldest unconfirmed entry is the one right after the last anchor
        oldest = ledger.entries(ground.read, before_seq=found.anchored_to + 2, limit=1)
        age = ground.now - oldest[0].at if oldest else 0
    verdict: Verdict = "fail" if age > MISSING else "warn" if age > LATE else "pass"
    remedy = "" if verdict == "pass" else f" The oldest unconfirmed one waits for {age // SECOND} s: see the schedule."
    return Finding(
        verdict=verdict,
        sentence=f"{found.entries:,} entries whole, anchored outside up to {found.anchored_to:,}.{remedy}",
        figures=figures | {"unconfirmed_s": age // SECOND},
    )


CHECK = Check(
    name="ledger",
    title="Ledger",
    question="Is the record of control actions whole and anchored?",
    look=look,
    every_s=300.0,
)
