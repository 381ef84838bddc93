"""Insights: creators and their audiences, what each prefers, and who comes back."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from governance.checks.artifacts import keep
from governance.creators import CreatorView, attribute_of, cohorts, creator_views
from governance.installation import installation
from scoring_core.features.segments import segmentation
from scoring_core.learning.census import people_of
from scoring_core.learning.sizes import memberships
from storage import catalogue, findings
from storage.audience_outcomes import audiences, returned
from storage.database import Database, Read
from storage.lake import Lake
from storage.records.clock import DAY
from storage.records.document import canonical, document, dump, parse
from storage.records.findings import Audit

KIND = "insights"
RETURNS_DAYS = 63
"""Nine weeks: how far back it is looked who came back."""


@document
class InsightsArguments:
    """What insights look at: the last so many ``days`` of own decisions, and imported ones of whatever time."""

    days: int = Field(default=28, ge=1, le=365)


def run_insights(
    database: Database, lake: Lake, *, job_id: str, arguments: Mapping[str, Any], now: int, home: Path
) -> Audit:
    """Count audiences, store what they show (``findings.save``) and return it; ``audit_id`` is ``insights-{job_id}``.

    Attributes of the context that a surface declares sensitive are not looked at.

    Raises
    ------
    Invalid
        If an argument is unknown or of the wrong type.
    """
    asked = parse(InsightsArguments, arguments)
    start = now - asked.days * DAY
    people, settings = people_of(database, lake, now=now)
    belongs = memberships(people, segmentation(settings.segments))
    members = [
        (subject, name)
        for name, sure in belongs.items()
        for subject, one in zip(people.subjects, sure.tolist(), strict=True)
        if one > 0.0
    ]
    with database.read() as read:
        items = catalogue.load(read).items
        attribute = attribute_of(items, settings.creator)
        makers = {item.item_id: str(item.attributes[attribute]) for item in items if attribute in item.attributes}
        counts = (
            audiences(lake, read, start=start, end=now, makers=makers, members=members, attributes=_told_by(read))
            if makers
            else ()
        )
        back = returned(lake, read, start=now - RETURNS_DAYS * DAY, end=now)
    views = creator_views(counts, Counter(makers.values()))
    result = {
        "attribute": attribute,
        "creators": [dump(view) for view in views],
        "cohorts": [dump(one) for one in cohorts(back)],
    }
    audit_id = f"{KIND}-{job_id}"
    audit = Audit(
        audit_id=audit_id,
        kind="insights",
        job_id=job_id,
        at=now,
        verdict="pass" if any(view.verdict != "unknown" for view in views) else "unknown",
        sentence=_sentence(views, attribute),
        population={"start": start, "end": now, "creators": len(set(makers.values())), "people": len(people)},
        result=result,
        artifacts=keep(home, audit_id, {"insights.json": canonical(result)}),
    )
    with database.write() as write:
        findings.save(write, audit)
    return audit


def _told_by(read: Read) -> tuple[str, ...]:
    """Return the attributes of contexts that may be told by: texts and flags that no surface calls sensitive."""
    found: dict[str, bool] = {}
    for surface in installation(read).surfaces.values():
        for name, one in surface.context.items():
            if one.type in {"string", "boolean"}:
                found[name] = found.get(name, True) and not one.sensitive
    return tuple(sorted(name for name, open_ in found.items() if open_))


def _sentence(views: tuple[CreatorView, ...], attribute: str) -> str:
    if not attribute:
        return "No item names its creator, so nothing can be told by creator."
    if not views:
        return f"Nothing of any creator (item attribute {attribute}) was shown yet."
    told = [view for view in views if view.verdict != "unknown"]
    if not told:
        return f"{len(views)} creators; none is shown to be clicked differently from the rest."
    return f"{len(views)} creators. {told[0].creator}: {told[0].sentence}"
