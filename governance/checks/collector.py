"""Is everything that engines count and log collected, without gaps and by the same clock."""

from governance.checks.check import Check, Finding, Ground, unknown
from storage import receipts, scrapes, series
from storage.records.clock import HOUR, MINUTE, SECOND
from storage.records.findings import Verdict

LATE, LOST = 30 * SECOND, 2 * MINUTE
SKEWED, FAR = 2 * SECOND, 30 * SECOND


def look(ground: Ground) -> Finding:
    """Read what came of asking each replica, and the gaps of an hour."""
    serving = {each.replica for each in receipts.receipts(ground.read)}
    asked = [each for each in scrapes.scrapes(ground.read).values() if ground.now - each.at <= HOUR]
    known = [each for each in asked if each.replica in serving]
    if not known:
        return unknown("No engine that serves was asked within an hour; control does that while it leads the schedule.")
    age = {f"{each.replica} {each.what}": ground.now - (each.last_ok or 0) for each in known}
    late, lost = ([name for name, old in age.items() if old > limit] for limit in (LATE, LOST))
    skew = max(abs(each.skew_us) for each in known)
    gone = sum(each.lost for each in known)
    holes = sum(gap.end - gap.start for gap in series.gaps(ground.read, ground.now - HOUR, ground.now - MINUTE))
    faults = [
        text
        for wrong, text in (
            (late, f"{', '.join(late)} not read for over 30 s"),
            (skew > SKEWED, f"an engine's clock is {skew / SECOND:.1f} s away"),
            (gone, f"{gone} journal entries were gone before they could be read"),
            (holes, f"{holes // SECOND} s of the last hour are missing"),
        )
        if wrong
    ]
    figures = {"late": late, "skew_s": skew / SECOND, "lost": gone, "gaps_s": holes // SECOND}
    if not faults:
        sentence = f"{len(known)} sources are read on time; the last hour has no gap."
        return Finding(verdict="pass", sentence=sentence, figures=figures)
    verdict: Verdict = "fail" if lost or skew > FAR else "warn"
    return Finding(
        verdict=verdict,
        sentence=f"{'; '.join(faults)}. What is missing is shown as a gap, never as zero.",
        figures=figures,
    )


CHECK = Check(name="collector", title="Collector", question="Is all that engines count collected?", look=look)
