"""Small lakes with a known truth: one-slot decisions, impressions, clicks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from storage import catalogue
from storage.database import Database
from storage.lake import Lake
from storage.records.clock import DAY, SECOND
from storage.records.decisions import Decision
from storage.records.events import Event, Origin
from storage.records.items import Item

START = 1_700_000_000 * SECOND
ITEMS = 12


@dataclass(frozen=True, kw_only=True)
class World:
    """What happened: one row per impression, in order of time."""

    item: np.ndarray
    clicked: np.ndarray
    position: np.ndarray
    contexts: Sequence[dict]
    propensity: np.ndarray
    at: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def moments(rows: int, days: float = 7.0) -> np.ndarray:
    return START + (np.arange(rows) * (days * DAY / max(1, rows))).astype(np.int64)


def taste(rows: int, seed: int, *, base: float = -2.5, strength: float = 2.0) -> World:
    """Rows whose clicks follow the agreement of a person's feature with an item's attribute."""
    rng = np.random.default_rng(seed)
    item = rng.integers(0, ITEMS, rows)
    person = rng.integers(0, 4, rows)
    group = rng.integers(0, 3, rows)
    position = rng.integers(1, 4, rows)
    liking = np.where(person == item % 4, strength, 0.0) + (item / ITEMS - 0.5) * strength
    clicked = rng.random(rows) < 1.0 / (1.0 + np.exp(-(base + liking)))
    contexts = [
        {"user_feature_0": f"u{p}", "user_feature_1": f"g{g}"}
        for p, g in zip(person.tolist(), group.tolist(), strict=True)
    ]
    return World(
        item=item,
        clicked=clicked,
        position=position,
        contexts=contexts,
        propensity=np.full(rows, 1.0 / ITEMS),
        at=moments(rows),
    )


def items() -> list[Item]:
    return [
        Item(item_id=f"i{number}", attributes={"kind": f"k{number % 4}", "appeal": number / ITEMS})
        for number in range(ITEMS)
    ]


def fill(
    database: Database,
    lake: Lake,
    world: World,
    *,
    origin: Origin = "imported",
    log: str = "test",
    subjects: Sequence[str | None] = (),
) -> None:
    """Put a world into the lake and its items into the catalogue; nobody is known but the ``subjects`` of the rows."""
    decisions, events = [], []
    for row in range(len(world.item)):
        at, item, key = int(world.at[row]), f"i{world.item[row]}", f"{log}-{row:06d}"
        decisions.append(
            Decision(
                decision_id=key,
                at=at,
                replica="test",
                subject=subjects[row] if subjects else None,
                session=None,
                sequence=0,
                surface="home",
                campaign="men",
                slots=1,
                revision=0,
                consent_epoch=0,
                policy="random",
                version=None,
                bucket=None,
                served_by="rules",
                reason="imported",
                context=world.contexts[row],
                items=(item,),
                positions=(int(world.position[row]),),
                propensity=(float(world.propensity[row]),),
                propensity_kind="marginal",
                origin=origin,
            )
        )
        common = {"received_at": at, "item": item, "decision_id": key, "origin": origin, "campaign": "men"}
        events.append(Event(event_id=f"{key}-s", type="impression", at=at, **common))
        if world.clicked[row]:
            events.append(Event(event_id=f"{key}-c", type="click", at=at + SECOND, **common))
    with database.write() as write:
        catalogue.upsert(write, items(), now=START)
        for kind, records in (("decisions", decisions), ("events", events)):
            if not records:
                continue
            staged = lake.stage(
                kind, replica="test", log=log, from_seq=1, to_seq=len(records), origin=origin, records=records
            )
            lake.register(write, staged, now=START)


def lake_at(home: Path) -> Lake:
    return Lake(home / "lake")
