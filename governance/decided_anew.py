"""One logged decision decided again with another version of its policy, exact where all that it asks was recorded."""

from dataclasses import dataclass
from pathlib import Path

from governance.past import Past
from governance.rehearsal import Rehearsal
from governance.scenario import Scenario, resolved
from storage.database import Database
from storage.lake import Lake
from storage.records.decisions import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a decision answered, or would have: items best first, what served and why, what caps held back."""

    version: int | None
    items: tuple[str, ...]
    served_by: str
    reason: str
    confidence: float | None
    caps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anew:
    """What came of it. ``verdict`` is exact, or partial where the version asks what nobody recorded (``unknown`` names
    it), or refused with a ``reason``: then there is no answer of the other version."""

    verdict: str
    logged: Answer
    anew: Answer | None = None
    reason: str = ""
    unknown: tuple[str, ...] = ()


def decided_anew(database: Database, lake: Lake, home: Path, record: Decision, *, version: int, now: int) -> Anew:
    """Decide ``record`` again as if ``version`` of its policy had served everyone, with the items, models, random
    numbers and all that was recorded of its moment. It counts only if it comes out again as recorded, too.

    Raises
    ------
    NotFound
        If there is no such version.
    Invalid
        If the version does not fit the settings of now.
    """
    logged = _answer(record)
    if record.policy is None:
        return Anew(verdict="refused", logged=logged, reason="no policy took part in it")
    otherwise = resolved(database, Scenario(policy=record.policy, version=version), now=now)
    rehearsal = Rehearsal(Past(database, lake, home), otherwise)
    found = next(rehearsal.of((record,)), None)
    if found is None:
        return Anew(
            verdict="refused", logged=logged, reason=next(iter(rehearsal.tally.left_out), "it is not kept whole")
        )
    unknown = tuple(sorted(rehearsal.tally.unknown))
    return Anew(verdict="partial" if unknown else "exact", logged=logged, anew=_answer(found.draft), unknown=unknown)


def _answer(record: Decision) -> Answer:
    return Answer(
        version=record.version,
        items=record.items,
        served_by=record.served_by,
        reason=record.reason,
        confidence=record.confidence,
        caps=record.caps,
    )
