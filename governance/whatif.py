"""The what-if: logged traffic decided again under a draft; what is counted is exact, what people would do estimated."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from governance.checks.artifacts import keep
from governance.contrast import Contrast
from governance.evaluation import Rows, estimated, outcomes, sentence
from governance.offpolicy import VERDICTS, Estimate
from governance.past import Past
from governance.rehearsal import Rehearsal, Rehearsed
from governance.scenario import resolved
from governance.whatif_arguments import WhatIfArguments
from storage import catalogue, findings, whole_decisions
from storage.database import Database
from storage.lake import Lake
from storage.records.clock import DAY
from storage.records.decisions import Decision
from storage.records.document import canonical, dump, parse
from storage.records.findings import Audit, Verdict
from storage.records.policies import Installation

LEAST = 100
"""With fewer decisions nothing is said."""

EACH_BY_ITSELF = (
    "Each decision is decided by itself with what was known then: what the draft would have changed in what people do, "
    "and in how often they were shown something before, is not part of it."
)
MOST_ATTRIBUTES = 4


def run_whatif(
    database: Database, lake: Lake, *, job_id: str, arguments: Mapping[str, Any], now: int, home: Path
) -> Audit:
    """Rehearse a scenario, store it (``findings.save``) and return it; ``audit_id`` is ``whatif-{job_id}``.

    Raises
    ------
    Invalid, NotFound
        If an argument is unknown, nothing is changed, or what it names does not exist.
    """
    return _run(database, lake, kind="whatif", job_id=job_id, arguments=arguments, now=now, home=home, days=1)


def run_offpolicy(
    database: Database, lake: Lake, *, job_id: str, arguments: Mapping[str, Any], now: int, home: Path
) -> Audit:
    """Estimate what a scenario would have earned in the last seven days, store it and return it; ``audit_id`` is
    ``offpolicy-{job_id}``. With ``log`` and ``target`` it judges one imported policy by the log of another.

    Raises
    ------
    Invalid, NotFound
        As ``run_whatif``.
    """
    if "log" in arguments or "target" in arguments:
        from governance.imported_pairs import run_pair

        return run_pair(database, lake, job_id=job_id, arguments=arguments, now=now, home=home)
    return _run(database, lake, kind="offpolicy", job_id=job_id, arguments=arguments, now=now, home=home, days=7)


def _run(
    database: Database,
    lake: Lake,
    *,
    kind: Any,
    job_id: str,
    arguments: Mapping[str, Any],
    now: int,
    home: Path,
    days: int,
) -> Audit:
    asked = parse(WhatIfArguments, arguments)
    end = now if asked.end is None else asked.end
    start = end - days * DAY if asked.start is None else asked.start
    otherwise = resolved(database, asked, now=now)
    with database.read() as read:
        items = catalogue.load(read)
        total, records = whole_decisions.whole(
            lake,
            read,
            start=start,
            end=end,
            origins=asked.origins,
            campaign=asked.campaign,
            surface=asked.surface,
            limit=asked.limit,
            seed=asked.seed,
        )
        kept = list(records)
        came = outcomes(
            lake,
            read,
            [each.decision_id for each in kept],
            start=start,
            end=end,
            origins=asked.origins,
            outcome=asked.outcome,
            now=now,
        )
        settings = _settings(database)
    rehearsal = Rehearsal(Past(database, lake, home), otherwise)
    contrast = Contrast(
        items,
        by=tuple(name for name in asked.groups or _context(kept) if name not in _sensitive(settings)),
        of=asked.providers or _attributes(items.items),
    )
    rows = Rows()
    for pair in _counted(rehearsal.of(kept), contrast):
        rows.add(pair, came.get(pair.logged.decision_id, {}), slate=asked.slate)
    found, told = estimated(rows, seed=asked.seed, slate=asked.slate, clip=asked.clip)
    tally = rehearsal.tally
    result = {
        "scenario": _scenario(asked),
        "exact": {"label": "exact", "caveat": EACH_BY_ITSELF, **contrast.told()},
        "estimated": told,
        "rehearsed": {
            "asked": tally.asked,
            "again": tally.again,
            "exact": tally.exact,
            "left_out": dict(tally.left_out.most_common()),
            "unknown": sorted(tally.unknown),
        },
    }
    verdict, words = _whatif(contrast, tally.asked) if kind == "whatif" else _offpolicy(found, asked)
    origins = sorted({each.origin for each in kept})
    audit_id = f"{kind}-{job_id}"
    audit = Audit(
        audit_id=audit_id,
        kind=kind,
        job_id=job_id,
        at=now,
        verdict=verdict,
        sentence=words,
        population={
            "start": start,
            "end": end,
            "rows": tally.asked,
            "of": total,
            "origins": origins,
            "campaign": asked.campaign,
            "surface": asked.surface,
        },
        result=result,
        artifacts=keep(home, audit_id, {f"{kind}.json": canonical(result)}),
    )
    with database.write() as write:
        findings.save(write, audit)
    return audit


def _counted(pairs: Iterator[Rehearsed], contrast: Contrast) -> Iterator[Rehearsed]:
    for pair in pairs:
        contrast.add(pair)
        yield pair


def _whatif(contrast: Contrast, asked: int) -> tuple[Verdict, str]:
    n = contrast.now.decisions
    if n < LEAST:
        return "unknown", (
            f"Only {n} of {asked} logged decisions could be decided again, too few to say anything; {LEAST} are needed."
        )
    now, draft = contrast.now.told(), contrast.draft.told()
    return "pass", (
        f"Of {n:,} logged decisions {contrast.changed / n:.1%} would show something else, to "
        f"{len(contrast.people_changed):,} people. The fallback would serve {draft['fallback_share']:.1%} instead of "
        f"{now['fallback_share']:.1%}; caps would hold something back in {draft['capped_share']:.1%} instead of "
        f"{now['capped_share']:.1%}."
    )


def _offpolicy(found: Estimate, asked: WhatIfArguments) -> tuple[Verdict, str]:
    what = f"version {asked.version} of {asked.policy}" if asked.policy else "the draft"
    return VERDICTS[found.verdict], sentence(found, what=what, outcome=asked.outcome)


def _scenario(asked: WhatIfArguments) -> dict[str, Any]:
    plain = dump(asked)
    return {name: plain[name] for name in ("policy", "version", "edits", "change") if plain[name]}


def _settings(database: Database) -> Installation:
    from governance.installation import installation

    with database.read() as read:
        return installation(read)


def _sensitive(settings: Installation) -> frozenset[str]:
    declared = [surface.context for surface in settings.surfaces.values()] + [settings.attributes]
    return frozenset(name for each in declared for name, attribute in each.items() if attribute.sensitive)


def _context(records: list[Decision]) -> tuple[str, ...]:
    names = sorted({name for each in records[:1_000] for name, value in each.context.items() if isinstance(value, str)})
    return tuple(names[:MOST_ATTRIBUTES])


def _attributes(items: Any) -> tuple[str, ...]:
    names = sorted(
        {name for each in items[:1_000] for name, value in each.attributes.items() if isinstance(value, str)}
    )
    return tuple(names[:MOST_ATTRIBUTES])
