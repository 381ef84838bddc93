"""Is every running campaign shown to somebody, and clicked by anybody: real and simulated rows, a day of them."""

from governance.checks.check import Check, Finding, Ground, gravest, unknown
from storage import campaigns, cells
from storage.records.clock import DAY, HOUR
from storage.records.findings import Verdict
from storage.records.proportions import wilson

LATELY = DAY
OLD = 2 * HOUR
"""A campaign that was changed since so recently is not judged yet."""
SHOWN, PLENTY = 1_000, 10_000
"""Decisions of a day with which a campaign that is never shown is told; impressions with which no click is."""
ORIGINS = ("live", "simulated")


def look(ground: Ground) -> Finding:
    """Sum a day of each running campaign."""
    running = [
        stored.campaign.key
        for stored in campaigns.listed(ground.read)
        if stored.campaign.status == "running" and ground.now - stored.updated_at > OLD
    ]
    if not running:
        return unknown("No campaign has been running for two hours.")
    found = cells.totals(ground.read, start=ground.now - LATELY, end=ground.now, origins=ORIGINS, by=("campaign",))
    by_key = {cell.a: cell for cell in found}
    everything = sum(cell.decisions for cell in found)
    verdicts: dict[str, Verdict] = {}
    told = []
    for key in running:
        cell = by_key.get(key)
        shown, clicks = (cell.impressions, cell.clicks) if cell else (0, 0)
        if not shown:
            verdicts[key] = "warn" if everything >= SHOWN else "unknown"
            told.append(f"{key} was shown to nobody in a day, of {everything:,} decisions")
        elif not clicks and shown >= PLENTY:
            verdicts[key] = "fail"
            high = wilson(0, shown)[1]
            told.append(f"{key} was shown {shown:,} times and never clicked (at most {high:.2%}); are clicks sent?")
        else:
            verdicts[key] = "pass" if clicks else "unknown"
    word = gravest(verdicts)
    figures = {key: {"impressions": by_key[key].impressions, "clicks": by_key[key].clicks} for key in by_key}
    if word == "unknown":
        return unknown(f"{'; '.join(told) or 'Impressions are too few to expect a click'}.", **figures)
    if word == "pass":
        return Finding(verdict="pass", sentence=f"All {len(running)} are shown and clicked.", figures=figures)
    return Finding(verdict=word, sentence=f"{'; '.join(told)}.", figures=figures)


CHECK = Check(
    name="campaigns",
    title="Campaigns",
    question="Is every running campaign shown, and is anything clicked at all?",
    look=look,
    every_s=300.0,
)
