"""Is what came in kept: accepted events against durable ones, refused ones against all, records lost."""

from governance.checks.check import Check, Finding, Ground, unknown
from governance.checks.counts import share, summed, tally
from storage.records.clock import HOUR, MINUTE

RECEIVED, DURABLE = "fairlead_events_received_total", "fairlead_events_durable_total"
RECORDS = "fairlead_decision_records_total"
REFUSED = frozenset({"rejected", "dead_letter"})
MOST_REFUSED = 0.02
LEAST = 50


def look(ground: Ground) -> Finding:
    """Compare counters that must agree; the last minute is left out, since its events may still be on their way."""
    since, end, by = ground.now - HOUR, ground.now - MINUTE, ("result",)
    found = tally(ground, RECEIVED, start=since, end=end, hit=lambda labels: labels.get("result") in REFUSED, by=by)
    accepted = tally(
        ground, RECEIVED, start=since, end=end, hit=lambda labels: labels.get("result") == "accepted", by=by
    )
    durable = summed(ground, DURABLE, since=since)
    lost = summed(ground, RECORDS, since=since, of=lambda labels: labels.get("result") == "lost", by=by) or 0
    figures = {"received": found.n, "accepted": accepted.hits, "durable": durable, "refused": found.hits, "lost": lost}
    missing = accepted.hits - (durable or 0)
    if missing > 0 or lost:
        sentence = f"{max(missing, 0)} accepted events are not durable, {lost} decision records lost, within an hour."
        return Finding(verdict="fail", sentence=sentence, figures=figures)
    if found.n < LEAST:
        return unknown(f"{found.n} events in an hour; {LEAST} are needed.", **figures)
    if found.hits > MOST_REFUSED * found.n:
        sentence = f"{share(found)} events were refused; the System page shows which field."
        return Finding(verdict="warn", sentence=sentence, figures=figures)
    return Finding(verdict="pass", sentence=f"{found.n:,} events in an hour, none lost.", figures=figures)


CHECK = Check(name="intake", title="Intake", question="Is what was accepted kept?", look=look)
