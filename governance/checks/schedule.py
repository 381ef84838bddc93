"""Does scheduled work run, on time and without errors."""

from governance.checks.check import Check, Finding, Ground, unknown
from storage import heartbeats


def look(ground: Ground) -> Finding:
    """Read the heartbeats: late is three missed runs."""
    beats = heartbeats.heartbeats(ground.read)
    if not beats:
        return unknown("No scheduled task has reported; `fairlead control` runs the schedule.")
    late = [beat.name for beat in beats if beat.late(ground.now)]
    failing = [beat.name for beat in beats if beat.error and beat.name not in late]
    figures = {"tasks": len(beats), "late": late, "failing": failing}
    if late:
        sentence = f"{', '.join(late)} missed three runs or more; see run/control.log."
        return Finding(verdict="fail", sentence=sentence, figures=figures)
    if failing:
        return Finding(verdict="warn", sentence=f"{', '.join(failing)} had an error in the last run.", figures=figures)
    return Finding(verdict="pass", sentence=f"{len(beats)} tasks run on time.", figures=figures)


CHECK = Check(name="schedule", title="Schedule", question="Does scheduled work run on time?", look=look)
