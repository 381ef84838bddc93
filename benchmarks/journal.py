"""A journal of thirty days, made in columns and landed day by day: files, manifest and cells by the product's code."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from collectors.cells import land
from collectors.columns import filled, lists, one_slot, uuids
from fairlead.wiring import Store
from storage.records.clock import DAY

CAMPAIGNS = ("all", "men", "women")
DAYS, ITEMS, POSITIONS, SUBJECTS = 30, 30, 3, 200_000
CLICKS = 0.02
REPLICA = "engine-0"
ROWS_A_DECISION = 2 + CLICKS
"""The decision, its impression, and at times a click."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written: rows by kind, cells."""

    decisions: int
    events: int
    cells: int


def ids(at: NDArray[np.int64], rng: np.random.Generator) -> list[str]:
    """Return UUIDv7 of the given instants (RFC 9562)."""
    return uuids(at, rng.integers(0, 256, (len(at), 16), dtype=np.uint8))


def _chosen(names: list[str], numbers: NDArray[np.int64]) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(numbers))


def day(start: int, count: int, first: int, rng: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    """Return a day's one-slot decisions and their events; more of both by day than by night."""
    hour = (np.sin(np.linspace(-np.pi / 2, 3 * np.pi / 2, 24)) + 1.4) / 33.6
    at = start + rng.choice(24, count, p=hour / hour.sum()) * (DAY // 24) + rng.integers(0, DAY // 24, count)
    at.sort()
    item, position = rng.integers(0, ITEMS, count), rng.integers(1, POSITIONS + 1, count)
    campaign = _chosen(list(CAMPAIGNS), rng.integers(0, len(CAMPAIGNS), count))
    shown = pc.binary_join_element_wise(campaign, pa.array(item).cast(pa.string()), "-")
    levels = [f'{{"user_feature_0":"level {a}","user_feature_1":"level {b}"}}' for a in range(3) for b in range(4)]
    people = [f"{number:032x}" for number in rng.integers(1 << 40, 1 << 60, 5_000)]
    decision_ids = pa.array(ids(at, rng), pa.string())
    clicked = rng.random(count) < CLICKS * (1.4 - 0.2 * position) * (0.6 + 0.8 * item / ITEMS)
    shared = {"at": pa.array(at), "surface": "home", "campaign": campaign, "origin": "simulated", "log": "bench"}
    subject = _chosen(people, rng.integers(0, len(people), count))
    decisions = one_slot(
        count,
        shared
        | {
            "decision_id": decision_ids,
            "replica": REPLICA,
            "seq": pa.array(first + np.arange(count)),
            "subject": subject,
            "policy": "home",
            "version": 1,
            "served_by": _chosen(["model", "fallback"], (rng.random(count) < 0.1).astype(np.int64)),
            "reason": "ok",
            "context": _chosen(levels, rng.integers(0, len(levels), count)),
            "items": lists(shown),
            "positions": lists(pa.array(position.astype(np.int32))),
            "propensity": lists(pa.repeat(pa.scalar(1 / ITEMS), count)),
            "propensity_kind": "conditional",
        },
    )
    parts = []
    for place, (kind, kept) in enumerate({"impression": np.ones(count, dtype=bool), "click": clicked}.items()):
        mask = pa.array(kept)
        told = {"decision_id": decision_ids, "at": pa.array(at), "received_at": pa.array(at), "item": shown}
        told |= {"seq": pa.array(2 * (first + np.arange(count)) + place), "subject": subject, "campaign": campaign}
        told["event_id"] = pc.binary_join_element_wise(decision_ids, kind, "-")
        about = shared | {"type": kind, "stored": "full", "properties": "{}", "replica": REPLICA}
        parts.append(filled("events", int(kept.sum()), about | {k: column.filter(mask) for k, column in told.items()}))
    return decisions, pa.concat_tables(parts)


def fill(store: Store, *, rows: int, now: int, seed: int, days: int = DAYS) -> Written:
    """Land so many journal rows, spread over the days before ``now``."""
    rng = np.random.default_rng(seed)
    a_day = max(1, round(rows / ROWS_A_DECISION / days))
    first, written = 1, Written(decisions=0, events=0, cells=0)
    for number in range(days):
        start = now - (days - number) * DAY
        decisions, events = day(start, a_day, first, rng)
        stage = partial(store.lake.stage, replica=REPLICA, log="bench", origin="simulated")
        staged = [
            stage("decisions", from_seq=first, to_seq=first + a_day - 1, records=decisions),
            stage("events", from_seq=2 * first, to_seq=2 * (first + a_day), records=events),
        ]
        asked = decisions["decision_id"].to_pylist()
        cells = land(store.database, store.lake, staged, decision_ids=asked, loose=set(), now=now, also=lambda _: None)
        first += a_day
        written = Written(
            decisions=written.decisions + len(decisions),
            events=written.events + len(events),
            cells=written.cells + cells,
        )
    return written
