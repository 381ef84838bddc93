"""A log whose truth is known: people drawn into arms, slots explored by chance, creators, weeks; written to a lake."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from storage.database import Database
from storage.lake import Lake
from storage.records.clock import DAY, HOUR
from storage.records.decisions import Decision
from storage.records.events import Event, Origin

START = 20_000 * DAY
NOW = START + 20 * DAY


@dataclass
class DrawnLog:
    """Rows that are written at once; ``chance`` is the true click rate of an arm."""

    chance: Mapping[str, float]
    made: list[Decision] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)
    seed: int = 1

    def holdout(
        self, people: int, *, days: int = 10, share: float = 0.2, origin: Origin = "live", each: int = 2
    ) -> "DrawnLog":
        """People of a campaign with a holdout, two slots each time; half of those who click buy something."""
        rng = np.random.default_rng(self.seed)
        for person in range(people):
            arm = "held_out" if rng.random() < share else "treated"
            for visit in range(each):
                at = START + int(rng.integers(0, days)) * DAY + int(rng.integers(0, DAY - HOUR))
                key = f"{origin}-{self.seed}-{person:05d}-{visit}"
                self._decide(key, at, arm, f"p{person:05d}", origin, arms={"holdout": arm})
                for item in ("i1", "i2"):
                    self._see(key, at, item, f"p{person:05d}", origin, clicked=bool(rng.random() < self.chance[arm]))
                if rng.random() < self.chance[arm]:
                    self.told.append(
                        Event(
                            event_id=f"{key}-buy", type="purchase", at=at + 9, received_at=at + 9, origin=origin,
                            subject=f"p{person:05d}", item="i1", value=float(10 + person % 5),
                        )
                    )  # fmt: skip
        return self

    def _decide(self, key: str, at: int, arm: str, subject: str, origin: Origin, *, arms: Mapping[str, str]) -> None:
        explored = hash_of(key) % 10 == 0
        self.made.append(
            Decision(
                decision_id=key, at=at, replica="test", subject=subject, session=None, sequence=0, surface="home",
                campaign="men", slots=2, revision=1, consent_epoch=0, policy=None if arm == "held_out" else "home",
                version=None if arm == "held_out" else 1, bucket=None, arms=arms, scorer="popular",
                served_by="default" if arm == "held_out" else "model", reason="ok", items=("i1", "i2"),
                positions=(1, 2), propensity=(0.05, 0.95) if explored else (0.95, 0.95), origin=origin,
                context={"device": "phone" if hash_of(key) % 2 else "desk"},
            )
        )  # fmt: skip

    def _see(self, key: str, at: int, item: str, subject: str, origin: Origin, *, clicked: bool) -> None:
        common = {"received_at": at, "item": item, "decision_id": key, "origin": origin, "subject": subject}
        self.told.append(Event(event_id=f"{key}-{item}-s", type="impression", at=at, **common))
        if clicked:
            self.told.append(Event(event_id=f"{key}-{item}-c", type="click", at=at + 5, **common))

    def write(self, database: Database, lake: Lake, *, log: str = "a") -> Lake:
        """Stage and register everything, one file per origin and kind."""
        with database.write() as write:
            for origin in sorted({one.origin for one in self.made}):
                for kind, records in (("decisions", self.made), ("events", self.told)):
                    rows = [one for one in records if one.origin == origin]
                    staged = lake.stage(
                        kind,
                        replica="test",
                        log=f"{log}-{origin}",
                        from_seq=1,
                        to_seq=len(rows),
                        origin=origin,
                        records=rows,
                    )
                    lake.register(write, staged, now=NOW)
        return lake


def hash_of(key: str) -> int:
    """Return a number that is the same in every process."""
    return sum(ord(letter) * (place + 7) for place, letter in enumerate(key))
