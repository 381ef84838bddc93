"""The patrol: every check that is due looks, and what each says is kept; one that fails silences no other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from governance.checks.check import Check, Finding, Ground, unknown
from governance.checks.roster import CHECKS
from storage import verdicts
from storage.anchors import Anchors
from storage.database import Database, Read
from storage.errors import FairleadError
from storage.keys import Keys
from storage.records.clock import DAY, SECOND
from storage.records.verdicts import CheckVerdict

log = structlog.get_logger(__name__)

KEPT = 400 * DAY
EARLY = 0.9
"""A look that comes this share of its pause after the last one is due: clocks and schedules are not exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """Where the patrol looks: what every check is given, and the checks themselves."""

    database: Database
    home: Path
    keys: Keys
    anchors: Anchors
    checks: Sequence[Check] = CHECKS


def look(beat: Beat, check: Check, now: int) -> Finding:
    """Let one check look; one that cannot is ``unknown`` with the reason, and its own bug is told as that."""
    try:
        with beat.database.read() as read:
            return check.look(Ground(read=read, now=now, home=beat.home, keys=beat.keys, anchors=beat.anchors))
    except FairleadError as error:
        return unknown(f"It could not look: {error}.", error=error.code)
    except Exception as error:
        log.exception("a check failed", check=check.name)
        return unknown("It could not look for a mistake of its own; the log of control says more.", error=_name(error))


def patrol(
    beat: Beat, *, now: int, every: bool = False, guard: Callable[[Read], None] = lambda _read: None
) -> list[CheckVerdict]:
    """Let the checks look that are due, or ``every`` one; keep and return what they say, in the order of the checks.

    ``guard`` is asked within the transaction and raises to stop it.
    """
    with beat.database.read() as read:
        last = verdicts.latest(read)
    due = [check for check in beat.checks if every or _due(check, last.get(check.name), now)]
    said = [(check, look(beat, check, now)) for check in due]
    told = [
        CheckVerdict(
            check=check.name,
            since=now,
            seen=now,
            verdict=finding.verdict,
            sentence=finding.sentence,
            figures=finding.figures,
        )
        for check, finding in said
    ]
    with beat.database.write() as write:
        guard(write)
        for each in told:
            if verdicts.record(write, each):
                log.info("a check says something else", check=each.check, verdict=each.verdict, sentence=each.sentence)
        verdicts.forget(write, before=now - KEPT)
        latest = verdicts.latest(write)
    return [latest[each.check] for each in told]


def _due(check: Check, last: CheckVerdict | None, now: int) -> bool:
    return last is None or now - last.seen >= EARLY * check.every_s * SECOND


def _name(error: Exception) -> str:
    return type(error).__name__
