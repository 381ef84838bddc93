"""Did a campaign's click rate fall: its last three days against the four weeks before, real rows only."""

from governance.checks.check import Check, Finding, Ground, gravest, unknown
from governance.proportions import Tally, difference, discoveries, needed
from storage import campaigns, cells
from storage.records.clock import DAY
from storage.records.findings import Verdict

LATELY, BEFORE = 3 * DAY, 28 * DAY
MATERIAL = 0.2
"""A fall by a fifth of the rate before is harm; a smaller one that is shown is worth a look."""
LEAST_CLICKS = 20
ORIGINS = ("live",)


def _rates(ground: Ground, start: int, end: int) -> dict[str, Tally]:
    found = cells.totals(ground.read, start=start, end=end, origins=ORIGINS, by=("campaign",))
    return {cell.a: Tally(n=cell.impressions, hits=cell.clicks) for cell in found}


def look(ground: Ground) -> Finding:
    """Compare each running campaign with itself; of many comparisons few stand by chance (Benjamini and Hochberg)."""
    running = [stored.campaign.key for stored in campaigns.listed(ground.read) if stored.campaign.status == "running"]
    now = _rates(ground, ground.now - LATELY, ground.now)
    before = _rates(ground, ground.now - LATELY - BEFORE, ground.now - LATELY)
    known = {key: (now[key], before[key]) for key in running if key in now and key in before}
    told = {key: pair for key, pair in known.items() if min(each.hits for each in pair) >= LEAST_CLICKS}
    if not told:
        more = min((needed(old.rate or 0.0) - new.n for new, old in known.values()), default=0)
        about = f" About {more:,} more impressions are needed." if more > 0 else ""
        return unknown(f"No running campaign has {LEAST_CLICKS} real clicks in both periods.{about}", running=running)
    found = {key: difference(*pair) for key, pair in told.items()}
    stands = discoveries([each.p if each else 1.0 for each in found.values()])
    verdicts: dict[str, Verdict] = {}
    for (key, each), standing in zip(found.items(), stands, strict=True):
        old = told[key][1].rate or 0.0
        fell = each is not None and standing and each.high < 0.0
        verdicts[key] = "fail" if fell and each and each.high < -MATERIAL * old else "warn" if fell else "pass"
    fallen = [key for key, word in verdicts.items() if word != "pass"]
    sentence = (
        f"The click rate of {', '.join(fallen)} fell against the four weeks before; its heatmap says where."
        if fallen
        else f"{len(told)} of {len(running)} running campaigns have clicks enough; none fell."
    )
    figures = {key: {"now": new.rate, "before": old.rate, "n": new.n} for key, (new, old) in told.items()}
    return Finding(verdict=gravest(verdicts), sentence=sentence, figures=figures)


CHECK = Check(
    name="ctr", title="Click rate", question="Did a running campaign's click rate fall?", look=look, every_s=600.0
)
