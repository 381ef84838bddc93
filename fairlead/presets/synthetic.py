"""Data for a first run without the data set: made up, shaped like it, and marked as simulated in every row."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlmodel import col, select

from fairlead.presets.open_bandit import CAMPAIGNS, CONTEXT, SURFACE
from fairlead.wiring import Store
from storage import catalogue
from storage.database import Read, Write
from storage.records.clock import DAY, HOUR
from storage.records.decisions import Decision
from storage.records.events import Event
from storage.records.items import Item
from storage.tables.observed import LakeFileRow

REPLICA = "synthetic"
SEED = 20_260
ITEMS = 30
ROWS = 4_000
POSITIONS = 3
BASE = -3.6
"""The log-odds of a click at the top of the page before what visitor and item add: about 2.7 %."""
LEVELS = {"user_feature_0": 3, "user_feature_1": 4, "user_feature_2": 5, "user_feature_3": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The items of one campaign and what makes each of them liked."""

    items: tuple[Item, ...]
    appeal: tuple[float, ...]


def present(read: Read) -> bool:
    """Tell whether this installation was filled with synthetic data."""
    return read.first(select(LakeFileRow.path).where(col(LakeFileRow.replica) == REPLICA).limit(1)) is not None


def shelf(campaign: str, rng: random.Random) -> Shelf:
    """Make the items of a campaign."""
    appeal = tuple(rng.gauss(0.0, 0.4) for _ in range(ITEMS))
    items = tuple(
        Item(
            item_id=f"{campaign}-{number}",
            title=f"Item {number} ({campaign})",
            attributes={
                "campaign": campaign,
                "item_feature_0": round(appeal[number] + rng.gauss(0.0, 0.3), 4),
                "item_feature_1": f"colour {number % 5}",
                "item_feature_2": f"cut {number % 3}",
                "item_feature_3": f"cloth {number % 4}",
            },
        )
        for number in range(ITEMS)
    )
    return Shelf(items=items, appeal=appeal)


def _id(at: int, rng: random.Random) -> str:
    """Return a UUIDv7 (RFC 9562) of a given moment."""
    bits = (at // 1_000) << 80 | 0x7 << 76 | rng.getrandbits(12) << 64 | 0b10 << 62 | rng.getrandbits(62)
    return str(UUID(int=bits))


def rows(campaign: str, goods: Shelf, *, end: int, rng: random.Random) -> Iterator[tuple[Decision, list[Event]]]:
    """Make a week of one-slot decisions by a policy that chooses evenly, each seen and perhaps clicked."""
    start = end - 7 * DAY
    for at in sorted(rng.randrange(start, end) for _ in range(ROWS)):
        place, position = rng.randrange(ITEMS), 1 + rng.randrange(POSITIONS)
        levels = {name: rng.randrange(LEVELS[name]) for name in CONTEXT}
        context = {name: f"level {level}" for name, level in levels.items()}
        taste = 0.3 if levels["user_feature_0"] == place % 3 else -0.1
        odds = BASE + goods.appeal[place] + taste - 0.35 * (position - 1)
        shown = goods.items[place].item_id
        decision = Decision(
            decision_id=_id(at, rng),
            at=at,
            replica=REPLICA,
            subject=None,
            session=None,
            sequence=0,
            surface=SURFACE,
            campaign=campaign,
            slots=1,
            revision=0,
            consent_epoch=0,
            policy="even",
            version=None,
            bucket=None,
            served_by="default",
            reason="synthetic",
            context=context,
            items=(shown,),
            positions=(position,),
            propensity=(1.0 / ITEMS,),
            propensity_kind="marginal",
            origin="simulated",
        )
        kinds = ["impression"] + ["click"] * (rng.random() < 1.0 / (1.0 + math.exp(-odds)))
        yield (
            decision,
            [
                Event(
                    event_id=f"{decision.decision_id}-{kind}",
                    type=kind,
                    at=at,
                    received_at=at,
                    item=shown,
                    surface=SURFACE,
                    campaign=campaign,
                    decision_id=decision.decision_id,
                    origin="simulated",
                )
                for kind in kinds
            ],
        )


def generate(store: Store, *, now: int, seed: int = SEED) -> int:
    """Fill an empty installation; return how many decisions were made. A week that ended before the join window, so
    that its outcomes are final."""
    from collectors.cells import land

    rng = random.Random(seed)
    goods = {campaign: shelf(campaign, rng) for campaign in CAMPAIGNS}
    made = [pair for key, shown in goods.items() for pair in rows(key, shown, end=now - 25 * HOUR, rng=rng)]
    decisions = [decision for decision, _ in made]
    events = [event for _, seen in made for event in seen]
    stage = partial(store.lake.stage, replica=REPLICA, log=REPLICA, from_seq=1, origin="simulated")
    staged = [
        stage("decisions", to_seq=len(decisions), records=decisions),
        stage("events", to_seq=len(events), records=events),
    ]

    def also(write: Write) -> None:
        catalogue.upsert(write, [item for shown in goods.values() for item in shown.items], now=now)

    ids = [decision.decision_id for decision in decisions]
    land(store.database, store.lake, staged, decision_ids=ids, loose=set(), now=now, also=also)
    return len(decisions)
