"""What the newest windows of every surface say against its reference, and whether somebody set one."""

from governance.checks.check import Check, Finding, Ground, gravest, unknown
from storage import drift
from storage.records.clock import DAY

OLD = 2 * DAY


def look(ground: Ground) -> Finding:
    """Read the newest look of each surface, family and origin; one older than two days says nothing of today."""
    newest = {
        f"{each.surface}, {each.family}, {each.origin}": each
        for each in drift.newest_looks(ground.read)
        if each.end > ground.now - OLD
    }
    if not newest:
        return unknown("No window was held against a reference; the Drift page sets one.")
    word = gravest({name: found.verdict for name, found in newest.items()})
    told = [f"{name}: {found.sentence}" for name, found in newest.items() if found.verdict == word]
    remedy = " Accept it, or set a new reference, on the Drift page." if word == "fail" else ""
    red = {name: [row["feature"] for row in found.features if row["red"]] for name, found in newest.items()}
    return Finding(verdict=word, sentence=" · ".join(told) + remedy, figures=red)


CHECK = Check(
    name="drift",
    title="Drift",
    question="Do the newest windows look as the reference says is normal?",
    look=look,
    every_s=300.0,
)
