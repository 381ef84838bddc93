"""Do policies fall back more than they did: the last hour against the day before."""

from collections.abc import Mapping

from governance.checks.check import Check, Finding, Ground, unknown
from governance.checks.counts import REQUESTS, share, tally
from governance.proportions import difference
from storage.records.clock import DAY, HOUR
from storage.records.findings import Verdict

OUTCOMES = frozenset({"model", "fallback"})
"""What policies decided; the default experience of those who said no is neither."""
LEAST = 200
SOME, MUCH = 0.05, 0.2


def _of_policies(labels: Mapping[str, str]) -> bool:
    return labels.get("outcome") in OUTCOMES


def _fell_back(labels: Mapping[str, str]) -> bool:
    return labels.get("outcome") == "fallback"


def look(ground: Ground) -> Finding:
    """Compare the shares: what is more by chance is no finding."""
    hour, by = ground.now - HOUR, ("outcome",)
    now = tally(ground, REQUESTS, start=hour, end=ground.now, hit=_fell_back, of=_of_policies, by=by)
    before = tally(ground, REQUESTS, start=hour - DAY, end=hour, hit=_fell_back, of=_of_policies, by=by)
    more = difference(now, before)
    if more is None or min(now.n, before.n) < LEAST:
        return unknown(f"{now.n} decisions of policies in an hour, {before.n} the day before; {LEAST} each are needed.")
    verdict: Verdict = "fail" if more.low > MUCH else "warn" if more.low > SOME else "pass"
    remedy = "" if verdict == "pass" else " The reasons are on the Live page: a model missing, a timeout, too unsure."
    return Finding(
        verdict=verdict,
        sentence=f"{share(now)} decisions fell back in an hour; {before.rate or 0.0:.2%} the day before.{remedy}",
        figures={"now": now.rate, "before": before.rate, "more_low": more.low, "more_high": more.high},
    )


CHECK = Check(
    name="fallbacks", title="Fallbacks", question="Do policies fall back no more than the day before?", look=look
)
