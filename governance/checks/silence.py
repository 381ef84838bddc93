"""Has something gone quiet that used to speak: decisions, and the events that people cause."""

from governance.checks.check import Check, Finding, Ground, gravest, unknown
from governance.checks.counts import REQUESTS, everything, observed, tally
from storage.records.clock import HOUR, MINUTE
from storage.records.findings import Verdict

EVENTS = "fairlead_events_received_total"
WATCHED = {"decisions": REQUESTS, "events": EVENTS}
LATELY, BEFORE = 5 * MINUTE, HOUR
RARE, ODD = 1e-6, 1e-3
"""Chances of so few by the rate of the hour before (Poisson): harm, and worth a look."""
LEAST = 24.0
"""With fewer expected, silence says nothing."""


def look(ground: Ground) -> Finding:
    """Compare the last five minutes with the hour before them."""
    from scipy.stats import poisson

    verdicts: dict[str, Verdict] = {}
    said, figures = [], {}
    for what, name in WATCHED.items():
        start = ground.now - LATELY
        now = tally(ground, name, start=start, end=ground.now, hit=everything).n
        before = tally(ground, name, start=start - BEFORE, end=start, hit=everything).n
        expected = before * LATELY / BEFORE
        figures[what] = {"now": now, "expected": round(expected, 1)}
        if not observed(ground, name, start=start, end=ground.now):
            verdicts[what] = "unknown"
            said.append(f"nobody counted {what} in five minutes")
            continue
        if expected < LEAST:
            verdicts[what] = "unknown"
            said.append(f"{before} {what} in the hour before are too few to tell silence")
            continue
        chance = float(poisson.cdf(now, expected))
        verdicts[what] = "fail" if chance < RARE and now < expected / 2 else "warn" if chance < ODD else "pass"
        said.append(f"{now} {what} in five minutes, about {expected:.0f} expected")
    word = gravest(verdicts)
    if word == "unknown":
        return unknown(f"{'; '.join(said)}.", **figures)
    remedy = " See whether callers reach the engines, and whether the collector runs." if word != "pass" else ""
    return Finding(verdict=word, sentence=f"{'; '.join(said)}.{remedy}", figures=figures)


CHECK = Check(name="silence", title="Silence", question="Do decisions and events still come in as before?", look=look)
