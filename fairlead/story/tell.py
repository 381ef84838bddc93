"""Telling a story: the clock goes on, people come, the product does what it does by the clock, scenes happen."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from fairlead.client import own_token
from fairlead.datasets import ensure_data
from fairlead.presets.open_bandit import SLOTS, ZONE, preset
from fairlead.settings import Settings
from fairlead.story.clock import StoryClock
from fairlead.story.crowd import Crowd, read_contexts
from fairlead.story.engine import REPLICA, StoryEngine
from fairlead.story.progress import Progress, keep, progress
from fairlead.story.script import Days, Scene, Told, script
from fairlead.story.stage import Stage
from fairlead.story.tastes import SEED, Tastes
from fairlead.wiring import Store
from governance.preset import Preset, PresetPolicy
from storage import catalogue, registry
from storage.errors import FairleadError
from storage.records.clock import DAY, HOUR, MINUTE, SECOND, moment
from storage.records.policies import Exploration, ScorerChoice

log = structlog.get_logger(__name__)

PACE: tuple[tuple[int, int], ...] = ((25 * HOUR, 10 * MINUTE),)
"""How long a tick is when so much is left: visits of a tick are reported together and make one metric window, so what
is shown in detail has short ones."""
SLOWEST = HOUR
NOTED = 4 * HOUR
"""How often it notes how far it came: so much is lived again after a power cut."""
DRIFT_WINDOW_S = 43_200
"""A few hundred visits a day are too few for a window an hour."""
ROUNDS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (12 * HOUR, ("poll-metrics",)),
    (DAY, ("poll-journal", "rollouts", "roll-up", "ledger.anchor", "changes.expire", "best_variants")),
    (DAY, ("fairness.plans", "drift.watch", "checks.patrol", "alerts")),
    (2 * DAY, ("compact", "keep")),
    (3 * DAY, ("segments.count", "rules.judge")),
)
"""What the schedule does how often in a story; by the real clock it is more often."""


class Teller:
    """Tells the story of one installation.

    Parameters
    ----------
    settings
        Those of the installation.
    store
        Its stores, by the real clock.
    days
        When the turns come, and how long it is.
    per_day
        How many visits a day has.
    seed
        Where all chance of the people comes from.
    """

    def __init__(
        self, settings: Settings, store: Store, *, days: Days | None = None, per_day: int = 300, seed: int = SEED
    ) -> None:
        self._days, self._per_day, self._seed = days or Days(), per_day, seed
        self._kept = progress(store)
        end = store.now() // MINUTE * MINUTE
        start = end - self._days.last * DAY
        self.progress = self._kept or Progress(start=start, end=end, at=start)
        self.clock = StoryClock(self.progress.at)
        every_s = {name: every / SECOND for every, names in ROUNDS for name in names}
        wide = settings.model_copy(update={"drift_window_seconds": DRIFT_WINDOW_S})
        self.stage = Stage(wide, store, self.clock, every_s=every_s)

    def tell(self, show: Callable[[int, int], None] = lambda _done, _all: None) -> Progress:
        """Live through what is left of it; ``show`` is told of each day."""
        stage = self.stage
        self._keep(self.progress)
        self._prepare()
        with stage.store.database.read() as read:
            items = {item.item_id: item for item in catalogue.load(read).items}
        tastes = Tastes(items, now=self.clock.now, seed=self._seed)
        logged = read_contexts(stage.store.database, stage.store.lake)
        crowd = Crowd(logged, items=items, tastes=tastes, seed=self._seed, per_day=self._per_day)
        told = Told(stage=stage, crowd=crowd, start=self.progress.start)
        stage.lead()
        try:
            with StoryEngine(stage.settings, self.clock, token=own_token(stage.settings, "traffic")) as engine:
                self._live(told, engine, show)
        finally:
            stage.leave()
        self._clear()
        return self.progress

    def _clear(self) -> None:
        """Remove what only a running engine needs: its log was read to the end, and nobody would erase anyone there."""
        for folder in ("logs", "windows"):
            for left in (self.stage.store.home / folder).glob(f"{REPLICA}.*"):
                left.unlink()

    def _prepare(self) -> None:
        """Set the installation up at the beginning of its story: the demo without a rollout, data, a trained model."""
        stage = self.stage
        stage.control.bootstrap(stage.store.home, beginning())
        training = ensure_data(stage.store)
        with stage.store.database.read() as read:
            trained = bool(registry.in_service(read))
        if not trained:
            stage.job("train", training)

    def _live(self, told: Told, engine: StoryEngine, show: Callable[[int, int], None]) -> None:
        scenes = script(self._days)
        for scene in scenes:
            if scene.lasts and scene.name in self.progress.played:
                scene.act(told)
        self.stage.caught_up(engine)
        lived = self.clock.now()
        try:
            while self.clock.now() < self.progress.end:
                done = self.clock.now() - self.progress.start
                show(done // DAY, self._days.last)
                for scene in scenes:
                    if scene.day * DAY <= done and scene.name not in self.progress.played:
                        self._play(scene, told)
                        self.stage.caught_up(engine)
                        self._keep(replace(self.progress, at=lived, played=(*self.progress.played, scene.name)))
                self._tick(told, engine)
                lived = self.clock.now()
                if (lived - self.progress.start) % NOTED == 0:
                    self._keep(replace(self.progress, at=lived))
        finally:
            self._keep(replace(self.progress, at=lived))
        show(self._days.last, self._days.last)

    @staticmethod
    def _play(scene: Scene, told: Told) -> None:
        """Play a scene; what control refuses (another rollout is under way) is noted in the ledger and told here."""
        try:
            scene.act(told)
        except FairleadError as refusal:
            log.warning("a scene was refused", scene=scene.name, reason=str(refusal))

    def _tick(self, told: Told, engine: StoryEngine) -> None:
        """Let some minutes pass, an hour at most."""
        begin, clock = self.clock.now(), self.clock
        end = begin + next((tick for left, tick in PACE if self.progress.end - begin <= left), SLOWEST)
        hour = moment(begin).astimezone(ZoneInfo(ZONE)).hour
        visits = told.crowd.visits(begin, end, hour=hour)

        async def visit() -> None:
            sent: list[asyncio.Task[Any]] = []
            for each in visits:
                clock.to(each.at)
                answer = await engine.ask("/v1/personalize", told.crowd.asks(each, SLOTS))
                events = told.crowd.does(each, answer, until=end)
                if events:
                    clock.to(max(event["at"] for event in events))
                    sent.append(asyncio.create_task(engine.ask("/v1/events", {"events": events})))
                    await asyncio.sleep(0)  # the engine takes them in at the moment they happen; the disk may wait
            await asyncio.gather(*sent)
            clock.to(end)

        engine.run(visit)
        engine.close_window()
        names = [name for every, names in ROUNDS if (clock.now() - self.progress.start) % every == 0 for name in names]
        if names:
            engine.report(self.stage.registered)
            self.stage.run(names)
            self.stage.caught_up(engine)

    def _keep(self, after: Progress) -> None:
        keep(self.stage.store, self._kept, after)
        self._kept = self.progress = after


def beginning() -> Preset:
    """Return the demo as it stands thirty days ago: the shop's own order serves everyone, the ranker waits."""
    demo = preset()
    return replace(demo, policies=tuple(_before(each) for each in demo.policies))


def _before(policy: PresetPolicy) -> PresetPolicy:
    popular, *others = policy.versions
    own_order = replace(popular, scorer=ScorerChoice(name="null"), exploration=Exploration(epsilon=0.05))
    return replace(policy, versions=(own_order, *others), rollout=None, percent=0.0)
