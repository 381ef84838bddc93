"""Everyone whom events tell of, counted from the lake as serving counts them: what segments are told by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from scoring_core.features.evidence import DEVICES, DWELL_MOST_S, MOST_SPENT
from scoring_core.features.segments import COUNTED, LOOKS, TOUCHED
from scoring_core.learning.acts import Whole
from scoring_core.learning.outcomes import SHOWN, parameters
from scoring_core.scorers.protocol import Floats
from storage import catalogue, consent, profiles, revisions
from storage.database import Database, Read
from storage.lake import Lake
from storage.records.clock import DAY, MINUTE, SECOND
from storage.records.consent import Purpose
from storage.records.events import EventType, Scalar
from storage.records.policies import Installation
from storage.records.subjects import COUNTERS, MOST_RECENT, ROLES, SESSION_GAP_S

ORIGINS = ("live", "imported", "simulated")
LATELY_US = 7 * DAY
"""Of how long the clicks are that segments are compared by."""

_AMOUNTS: Mapping[str, str] = {
    "dwell_s": f"sum(least(greatest(coalesce(value, 0.0), 0.0), {DWELL_MOST_S})) FILTER (counter = 'dwell_s')",
    "spend": f"sum(least(greatest(coalesce(value, 0.0), 0.0), {MOST_SPENT})) "
    "FILTER (counter IN ('purchases', 'spend'))",
    "sessions": "count(*) FILTER (counter = 'sessions') + count(*) FILTER (before IS NULL OR \"at\" - before > $gap "
    "OR (session IS NOT NULL AND key IS NOT NULL AND session <> key))",
    **{
        name: f"count(*) FILTER (counter = '{name}') + count(*) FILTER (device IN "
        f"({', '.join(repr(said) for said, kind in DEVICES.items() if kind == name)}))"
        for name in sorted(set(DEVICES.values()))
    },
}
"""How counters are counted that do not grow by one with each event of their type (``features.evidence``)."""

_COLUMNS = ", ".join(
    f"coalesce({_AMOUNTS.get(name, f'''count(*) FILTER (counter = '{name}')''')}, 0)::DOUBLE AS {name}"
    for name in COUNTERS
)
_PEOPLE = f"""
WITH told AS (
    SELECT DISTINCT ON (event_id) event_id, coalesce(account, subject) AS subject, session, item, counter,
        bits, value, origin,
        least("at", received_at) AS "at", lower(json_extract_string(properties, '$.device')) AS device
    FROM events JOIN kinds USING (type) LEFT JOIN accounts ON events.subject = visitor
    WHERE stored = 'full' AND events.subject IS NOT NULL AND "at" <= $now AND list_contains($origins, origin)
      AND ($subject IS NULL OR coalesce(account, subject) = $subject)
    ORDER BY event_id, replica, log, seq
), marked AS (
    SELECT *, lag("at") OVER visits AS before, last_value(session IGNORE NULLS) OVER (
        visits ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS key
    FROM told WINDOW visits AS (PARTITION BY subject ORDER BY "at", event_id)
), touched AS (
    SELECT subject, item, bit_or(bits) AS done, max("at" // {MINUTE}) AS minute
    FROM told SEMI JOIN shelf USING (item) WHERE bits > 0 GROUP BY subject, item
    QUALIFY row_number() OVER (PARTITION BY subject ORDER BY done = {ROLES["shown"]}, minute DESC, item) <= $most
), seen AS (
    SELECT subject, count(*) FILTER (done & {TOUCHED} > 0) AS different, count(*) AS remembered,
        min(minute) * {MINUTE} AS since, max(minute) * {MINUTE} AS latest
    FROM touched GROUP BY subject
)
SELECT subject, min("at") AS first_at, count(*) AS events, {_COLUMNS},
    coalesce(any_value(different), 0) AS different, coalesce(any_value(remembered), 0) AS remembered,
    any_value(since) AS since, any_value(latest) AS latest, list_sort(list(DISTINCT origin)) AS origins
FROM marked LEFT JOIN seen USING (subject) GROUP BY subject ORDER BY subject
"""  # noqa: S608  # own names and numbers
_LATELY = f"""
{SHOWN} SELECT subject, count(*) AS shown, count(*) FILTER (clicked) AS clicked FROM shown
WHERE subject IS NOT NULL GROUP BY subject
"""  # noqa: S608  # a constant


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Everyone, one row each: pseudonym, ``COUNTED``, age and time since the last touch of an item in days (NaN:
    none), when first seen (microseconds), events, of the last week what was shown and clicked, and
    by pseudonym what was stated."""

    subjects: tuple[str, ...]
    counted: Floats
    age_days: Floats
    recency_days: Floats
    first_at: Whole
    events: Whole
    shown: Floats
    clicked: Floats
    origins: tuple[str, ...]
    stated: Mapping[str, Mapping[str, Scalar]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.subjects)


def people_of(
    database: Database, lake: Lake, *, now: int, origins: Sequence[str] = ORIGINS, subject: str | None = None
) -> tuple[People, Installation]:
    """Count everyone who may be profiled, or only ``subject``; return the settings that held, too."""
    with database.read() as read:
        snapshot = revisions.load(read)
        settings = Installation() if snapshot is None else snapshot.installation
        refused = _refusing(read, settings)
        stated = profiles.attributes(read)
        with lake.connect(read) as duck:
            known = profiles.accounts(read)
            joined = {"visitor": list(known), "account": list(known.values())}
            duck.register("accounts", pa.table(joined, pa.schema([("visitor", pa.string()), ("account", pa.string())])))
            duck.register("kinds", _kinds(settings.events))
            duck.register("shelf", pa.table({"item": pa.array(catalogue.item_ids(read), pa.string())}))
            asked = {"now": now, "origins": list(origins), "subject": subject}
            rows: Any = duck.sql(
                _PEOPLE, params=asked | {"gap": SESSION_GAP_S * SECOND, "most": MOST_RECENT}
            ).to_arrow_table()
            lately = duck.execute(_LATELY, parameters(now=now, origins=origins, start=now - LATELY_US)).fetchall()
    rows = rows.filter(pa.array([refused(each) is False for each in rows.column("subject").to_pylist()], pa.bool_()))
    people = _people(rows, {who: (shown, clicked) for who, shown, clicked in lately}, now)
    return replace(people, stated=stated), settings


def _people(rows: Any, lately: Mapping[str, tuple[int, int]], now: int) -> People:
    column = {name: rows.column(name).to_numpy() for name in (*COUNTERS, "first_at", "different")}
    counted = np.zeros((rows.num_rows, len(COUNTED)))
    for place, name in enumerate(COUNTERS):
        counted[:, place] = column[name]
    first = column["first_at"].astype(np.int64) // SECOND * SECOND
    full = (rows.column("remembered").to_numpy() >= MOST_RECENT) & (now > first)
    span = now - rows.column("since").to_numpy(zero_copy_only=False).astype(np.float64)
    part = np.where(full, np.clip(span / np.maximum(now - first, 1), 0.0, 1.0), 1.0)
    counted[:, -2] = column["different"]
    counted[:, -1] = np.maximum(counted[:, LOOKS].max(axis=1, initial=0.0) * part, counted[:, -2])
    subjects = tuple(rows.column("subject").to_pylist())
    recent = np.array([lately.get(each, (0, 0)) for each in subjects], dtype=np.float64).reshape(-1, 2)
    held = {name for each in rows.column("origins").to_pylist() for name in each}
    return People(
        subjects=subjects,
        counted=counted,
        age_days=np.maximum(now - first, 0) / DAY,
        recency_days=np.maximum(now - rows.column("latest").to_numpy(zero_copy_only=False).astype(np.float64), 0) / DAY,
        first_at=first,
        events=rows.column("events").to_numpy().astype(np.int64),
        shown=recent[:, 0],
        clicked=recent[:, 1],
        origins=tuple(name for name in ORIGINS if name in held),
    )


def _kinds(declared: Mapping[str, EventType]) -> Any:
    return pa.table(
        {
            "type": pa.array(list(declared), pa.string()),
            "counter": pa.array([kind.counter for kind in declared.values()], pa.string()),
            "bits": pa.array([ROLES.get(kind.role, 0) for kind in declared.values()], pa.int32()),
        }
    )


def _refusing(read: Read, settings: Installation) -> Any:
    """Return whether a subject may not be profiled: what they said last, else the default of the region."""
    said = consent.said(read, Purpose.PROFILING)
    default = "granted" if settings.defaults_of().get(Purpose.PROFILING.value) == "allow" else "denied"
    return lambda subject: said.get(subject, default) == "denied"
