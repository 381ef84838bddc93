"""Looking at every rollout that is under way, every few seconds."""

from collections.abc import Callable
from dataclasses import replace

from governance.installation import installation
from governance.rollouts.counts import Question, count
from governance.rollouts.guard import Rollouts, in_force
from governance.rollouts.ramp import look
from governance.rollouts.start import compared, grouped
from governance.warrants import Warrant, system
from storage import policies, rollouts
from storage.database import Database, Read
from storage.errors import Conflict, FairleadError, Unavailable
from storage.lake import Lake
from storage.records.rollouts import OPEN, GatedRollout, Look

EVERY_S = 5.0
REST = 1
"""A round that takes long rests as long again before the next."""
_SCHEDULE = system("schedule")


def question(read: Read, rollout: GatedRollout) -> Question | None:
    """Return what to count for a rollout; None where its policy was moved by hand."""
    head = policies.head(read, rollout.policy)
    if head is None or head.stable is None or not in_force(head, rollout):
        return None
    settings = installation(read)
    documents = policies.documents(read, head.key, (head.stable, rollout.plan.version))
    scorers = {document.scorer.name for document in documents.values()}
    return Question(
        rollout=rollout,
        stable=head.stable,
        features=compared(rollout.plan, settings, head.surface),
        groups=grouped(rollout.plan, settings, head.surface),
        outputs=len(scorers) == 1 and rollout.plan.features is None,
    )


def looked(read: Read, lake: Lake, rollout: GatedRollout, asked: Question, at: int) -> Look:
    """Count and judge; one that a person stopped, or is asked about, is only ever taken back."""
    found = look(rollout, count(read, lake, asked), seq=0, at=at)
    if rollout.state == "running" or found.step == "roll_back":
        return found
    reason = "somebody paused it" if rollout.state == "paused" else "somebody is asked to let it go"
    return replace(found, step="hold", reason=f"{reason}; {found.reason}")


def watch(
    database: Database,
    lake: Lake,
    guarded: Rollouts,
    *,
    fence: Callable[[int], Callable[[Read], None]],
    now: Callable[[], int],
) -> Callable[[int], None]:
    """Return the work of one round."""
    rest_until = 0

    def one(rollout: GatedRollout, guard: Callable[[Read], None]) -> str:
        """Look at one rollout and follow; trouble with it keeps nobody from looking at the others."""
        try:
            with database.read() as read:
                asked = question(read, rollout)
                seen = looked(read, lake, rollout, asked, now()) if asked else None
            if seen is None:
                reason = "its policy was moved by hand"
                guarded.supersede(rollout.rollout_id, Warrant(by=_SCHEDULE, reason=reason), guard=guard)
            else:
                guarded.follow(seen, Warrant(by=_SCHEDULE, reason=seen.reason[:1_000]), guard=guard)
        except Conflict:
            return ""  # a person was faster; the next round sees what they did
        except FairleadError as error:
            return f"{rollout.policy}: {error}"
        return ""

    def run(token: int) -> None:
        nonlocal rest_until
        begun = now()
        if begun < rest_until:
            return
        guard = fence(token)
        with database.read() as read:
            guard(read)
            under_way = rollouts.listed(read, states=OPEN)
        troubles = [trouble for rollout in under_way if (trouble := one(rollout, guard))]
        ended = now()
        rest_until = ended + REST * (ended - begun)
        if troubles:
            raise Unavailable("; ".join(troubles))

    return run
