"""A log to try what-ifs on: decisions of a real control state, in a real lake, with what came of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from governance.cards import preset_card
from governance.control import Control
from scoring_core.caps import numbered
from scoring_core.compile import compile_live
from scoring_core.decide import decide
from scoring_core.explore import seeded
from scoring_core.gate import admit
from scoring_core.live import Facts, Request
from scoring_core.shelf import build_shelf, no_statistics
from storage import catalogue, revisions
from storage.database import Database
from storage.lake import Lake
from storage.records.clock import HOUR, SECOND
from storage.records.decisions import Decision
from storage.records.document import dump
from storage.records.events import Event
from storage.records.items import Item
from tests.governance.conftest import NOW
from tests.scoring_core.world import Consent

ITEMS = 8
START = NOW - 20 * HOUR


def chance(item: str) -> float:
    """The truth: later items are clicked more."""
    return 0.05 + 0.05 * int(item[1:])


def stock(database: Database) -> None:
    """Put the items on the shelf."""
    items = [
        Item(item_id=f"i{number}", attributes={"category": ("book", "shoe")[number % 2], "price": float(number)})
        for number in range(ITEMS)
    ]
    with database.write() as write:
        catalogue.upsert(write, items, now=NOW - 30 * HOUR)


def log(
    database: Database,
    home: Path,
    *,
    decisions: int,
    seed: int = 1,
    counts: Callable[[int], dict[str, int]] = lambda _: {},
    **request: Any,
) -> tuple[Lake, list[Decision]]:
    """Decide as an engine does under the revision of now, and land decisions, impressions and clicks in the lake."""
    lake, rng = Lake(home / "lake"), np.random.default_rng(seed)
    with database.read() as read:
        snapshot = revisions.load(read)
        shelf = build_shelf(catalogue.load(read))
    assert snapshot is not None
    live = compile_live(snapshot, Consent(), models={}, shelf=shelf, items=no_statistics(shelf))
    made, events = [], []
    for number in range(decisions):
        asked = Request(
            decision_id=f"d{seed}-{number:05d}",
            subject=f"{number % 97:032x}",
            session=f"s{number}",
            sequence=1,
            surface="home",
            campaign="men",
            slots=3,
            context={"user_feature_0": "ab"[number % 2], "age": float(number % 50)},
            candidates=None,
        )
        asked = replace(asked, **request)
        at = START + number * SECOND
        facts = Facts(caps=numbered(counts(number), live.plan.caps, live.shelf))
        one = decide(asked, facts, live, seeded(number), at, admission=admit(asked, live, at), replica="engine-1")
        made.append(one)
        for item in one.items:
            common = {"item": item, "decision_id": one.decision_id, "subject": one.subject, "campaign": "men"}
            events.append(
                Event(event_id=f"{one.decision_id}-{item}", type="impression", at=at, received_at=at, **common)
            )
            if rng.random() < chance(item):
                events.append(
                    Event(event_id=f"{one.decision_id}-{item}-c", type="click", at=at + 1, received_at=at + 1, **common)
                )
    with database.write() as write:
        for kind, records in (("decisions", made), ("events", events)):
            staged = lake.stage(
                kind,
                replica="engine-1",
                log=f"l{seed}",
                from_seq=1,
                to_seq=len(records),
                origin="live",
                records=records,
            )
            lake.register(write, staged, now=NOW)
    return lake, made


def version(control: Control, document: Any, warrant: Any) -> int:
    """Draft a version of the policy home with its card; return its number."""
    number = int(control.do("policy.draft", "home", {"document": document}, warrant).after["version"])
    control.do("policy.card", "home", {"version": str(number), "card": dump(preset_card("test"))}, warrant)
    return number
