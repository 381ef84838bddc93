"""Decisions of a surface under rollout, and what people did with them, laid straight into the lake."""

from collections.abc import Callable
from typing import Any

import numpy as np

from scoring_core.experiments.hashing import bucket
from storage import policies, revisions
from storage.database import Database
from storage.lake import Lake
from storage.records.clock import SECOND
from storage.records.decisions import Decision
from storage.records.events import Event

Chance = Callable[[bool], float]
COUNTRIES = ("de", "fr", "it")


class Traffic:
    """People who come by, each decision under the policy as it stands then."""

    def __init__(self, database: Database, lake: Lake, *, people: int = 2_000, seed: int = 1, log: str = "log") -> None:
        self._database = database
        self._lake = lake
        self._people = people
        self._log = log
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._round = 0
        self.made: list[Decision] = []
        self.told: list[Event] = []

    def come(
        self,
        count: int,
        at: int,
        *,
        clicks: Chance = lambda _treated: 0.1,
        failing: Chance = lambda _treated: 0.0,
        slow: Chance = lambda _treated: 0.0,
        loyal: Callable[[str], bool] | None = None,
    ) -> None:
        """Make so many decisions within a second; chances are by whether the version on its way serves."""
        with self._database.read() as read:
            head = policies.head(read, "home")
            revision = revisions.number(read)
        assert head is not None
        self._round += 1
        made, told = [], []
        for row in range(count):
            person = f"p{self._rng.integers(self._people)}"
            out = head.rollout
            point = bucket(out.seed, person) if out else None
            treated = out is not None and point is not None and point < out.percent / 100.0
            failed = self._rng.random() < failing(treated)
            key, moment = f"{self._log}{self._round:04d}-{row:06d}", at + row * SECOND // count
            made.append(
                self._decision(
                    key,
                    moment,
                    person,
                    version=out.version if out and treated else head.stable,
                    revision=revision,
                    bucket=point,
                    reason="scorer_failed" if failed else "ok",
                    served_by="fallback" if failed else "model",
                    stage_us={"score": 500_000 if self._rng.random() < slow(treated) else 300, "log": 100},
                )
            )
            common: dict[str, Any] = {"received_at": moment, "item": "shoe", "decision_id": key}
            told.append(Event(event_id=f"{key}-s", type="impression", at=moment, **common))
            if loyal(person) if loyal else self._rng.random() < clicks(treated):
                told.append(Event(event_id=f"{key}-c", type="click", at=moment + 1, **common))
        self._land(made, told, at)
        self.made += made
        self.told += told

    def _decision(self, key: str, at: int, person: str, **more: Any) -> Decision:
        return Decision(
            decision_id=key,
            at=at,
            replica="test",
            subject=person,
            session=None,
            sequence=0,
            surface="home",
            campaign="men",
            slots=1,
            consent_epoch=0,
            policy="home",
            context={"user_feature_0": COUNTRIES[int(person[1:]) % 3]},
            items=("shoe",),
            positions=(1,),
            propensity=(1.0,),
            confidence=0.75,
            **more,
        )

    def _land(self, made: list[Decision], told: list[Event], at: int) -> None:
        with self._database.write() as write:
            for kind, records in (("decisions", made), ("events", told)):
                staged = self._lake.stage(
                    kind,  # type: ignore[arg-type]  # one of the two
                    replica="test",
                    log=f"{self._log}{self._round}",
                    from_seq=1,
                    to_seq=len(records),
                    origin="live",
                    records=records,
                )
                self._lake.register(write, staged, now=at)
