"""Do all engines serve, with the newest policies."""

from governance.checks.check import Check, Finding, Ground, unknown
from storage import receipts, revisions
from storage.records.clock import HOUR, SECOND
from storage.records.findings import Verdict

HEARD, STALE = 10 * SECOND, 30 * SECOND


def look(ground: Ground) -> Finding:
    """Read every receipt of the last hour; a replica that stops on purpose withdraws its own."""
    known = [each for each in receipts.receipts(ground.read) if ground.now - each.at <= HOUR]
    if not known:
        return unknown("No engine reported within an hour; `fairlead up` or `fairlead engine` starts one.")
    revision = revisions.number(ground.read)
    silent = [each.replica for each in known if ground.now - each.at > HEARD]
    closed = [each.replica for each in known if each.replica not in silent and not each.ready]
    behind = [each.replica for each in known if each.replica not in silent and _behind(ground, each.revision, revision)]
    degraded = {each.replica: each.details.get("degraded") for each in known if each.details.get("degraded")}
    figures = {"known": len(known), "silent": silent, "not_ready": closed, "behind": behind, "degraded": degraded}
    faults = [
        f"{', '.join(names)} {what}"
        for names, what in (
            (silent, "went silent"),
            (closed, "report not ready"),
            (behind, "decide with older policies for over 30 s"),
            (sorted(set(degraded) - set(silent) - set(closed)), "work degraded"),
        )
        if names
    ]
    if not faults:
        sentence = f"{len(known)} of {len(known)} engines serve revision {revision}."
        return Finding(verdict="pass", sentence=sentence, figures=figures)
    verdict: Verdict = "fail" if silent or behind or len(closed) == len(known) else "warn"
    return Finding(
        verdict=verdict,
        sentence=f"{'; '.join(faults)}. `fairlead doctor` asks each of them.",
        figures=figures,
    )


def _behind(ground: Ground, held: int, newest: int) -> bool:
    """Tell whether the first revision that a replica lacks was published too long ago."""
    missed = revisions.load(ground.read, held + 1) if held < newest else None
    return missed is not None and ground.now - missed.at > STALE


CHECK = Check(
    name="replicas", title="Engines", question="Do all engines serve the newest policies?", look=look, every_s=30.0
)
