"""Are caps kept: decided impressions above one in a day, and decisions that could not be counted."""

from governance.checks.check import Check, Finding, Ground, unknown
from governance.checks.counts import summed, tally
from storage.records.clock import DAY

CHECKED, OVER = "fairlead_cap_checks_total", "fairlead_cap_overserves_total"
MOST_UNCOUNTED = 0.01


def look(ground: Ground) -> Finding:
    """Sum what went above a cap; one is harm."""
    since = ground.now - DAY
    over = summed(ground, OVER, since=since) or 0
    found = tally(
        ground,
        CHECKED,
        start=since,
        end=ground.now,
        hit=lambda labels: labels.get("result") == "degraded",
        by=("result",),
    )
    figures = {"over": over, "checked": found.n, "uncounted": found.hits}
    if over:
        sentence = f"{over} impressions in a day went above a cap; the page Caps and exposure names it."
        return Finding(verdict="fail", sentence=sentence, figures=figures)
    if not found.n:
        return unknown("No cap concerned a decision in a day.")
    if found.hits > MOST_UNCOUNTED * found.n:
        sentence = f"{found.hits:,} of {found.n:,} checks could not be counted: the shared store was away."
        return Finding(verdict="warn", sentence=sentence, figures=figures)
    return Finding(verdict="pass", sentence=f"{found.n:,} checks in a day, nothing above a cap.", figures=figures)


CHECK = Check(name="caps", title="Caps", question="Is nobody shown more than a cap allows?", look=look)
