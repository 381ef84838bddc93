"""Are people's requests answered within the time that the law gives."""

from governance.checks.check import Check, Finding, Ground, unknown
from storage import subject_requests
from storage.records.clock import DAY, HOUR
from storage.records.findings import Verdict

SOON = 7 * DAY
STUCK = 24 * HOUR
"""An erasure that was begun ends within a day."""


def look(ground: Ground) -> Finding:
    """Look at the open requests: one past its deadline fails, one due within a week or stuck for a day warns."""
    found = subject_requests.listed(ground.read, states=subject_requests.OPEN, limit=1_000)
    if not found and not subject_requests.listed(ground.read, limit=1):
        return unknown("Nobody has asked for anything yet.")
    late = [one for one in found if one.due_at < ground.now]
    soon = [one for one in found if ground.now <= one.due_at < ground.now + SOON]
    stuck = [
        one for one in found if one.state == "running" and ground.now - one.progress.get("begun_at", ground.now) > STUCK
    ]
    verdict: Verdict = "fail" if late else "warn" if soon or stuck else "pass"
    said = f"{len(found)} open, {len(late)} past the deadline, {len(soon)} due within a week."
    if stuck:
        said += f" {len(stuck)} did not end within a day; `fairlead subject show` says what is left."
    elif verdict != "pass":
        said += " `fairlead subject requests` names them."
    return Finding(
        verdict=verdict,
        sentence=said,
        figures={"open": len(found), "late": len(late), "soon": len(soon), "stuck": len(stuck)},
    )


CHECK = Check(
    name="requests",
    title="Requests of people",
    question="Is everyone answered in time who asked about their own data?",
    look=look,
    every_s=300.0,
)
