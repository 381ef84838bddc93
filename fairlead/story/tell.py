"""Telling a story: the clock goes on, people come, the product does what it does by the clock, scenes happen."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from fairlead.client import own_token
from fairlead.datasets import ensure_data
from fairlead.presets.open_bandit import SLOTS, ZONE, preset
from fairlead.settings import Settings
from fairlead.story.clock import StoryClock
from fairlead.story.crowd import Crowd, read_contexts
from fairlead.story.engine import StoryEngine
from fairlead.story.script import Days, Told, script
from fairlead.story.stage import Stage
from fairlead.story.tastes import SEED, Tastes
from fairlead.wiring import Store
from governance.preset import Preset
from storage import catalogue, cursors, registry, revisions
from storage.records.clock import DAY, HOUR, MINUTE, SECOND, moment

CURSOR = "story"
TICK = 15 * MINUTE
"""Visits of so long are reported together, and make one metric window."""
ROUNDS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (HOUR, ("poll-metrics",)),
    (3 * HOUR, ("poll-journal", "rollouts")),
    (6 * HOUR, ("roll-up", "ledger.anchor", "checks.patrol")),
    (12 * HOUR, ("changes.expire", "best_variants", "segments.count", "compact")),
    (DAY, ("keep", "fairness.plans", "drift.watch", "rules.judge")),
)
"""What the schedule does how often in a story; by the real clock it is more often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a story was told: when it began and shall end, up to when it came, which scenes were played."""

    start: int
    end: int
    at: int
    played: tuple[str, ...] = field(default=())


def progress(store: Store) -> Progress | None:
    """Return how far the story of this installation was told; None where it has none."""
    with store.database.read() as read:
        text = cursors.position(read, CURSOR)
    if text is None:
        return None
    known = orjson.loads(text)
    return Progress(**{**known, "played": tuple(known["played"])})


def wanted(store: Store) -> bool:
    """Tell whether there is a story to begin or to go on with: nothing was done here yet, or one was interrupted."""
    known = progress(store)
    if known is not None:
        return known.at < known.end
    with store.database.read() as read:
        return revisions.number(read) == 0 and catalogue.version(read) == 0


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
        self, settings: Settings, store: Store, *, days: Days | None = None, per_day: int = 320, seed: int = SEED
    ) -> None:
        self._days, self._per_day, self._seed = days or Days(), per_day, seed
        known = progress(store)
        end = store.now() // TICK * TICK
        self.progress = known or Progress(start=end - self._days.last * DAY, end=end, at=end - self._days.last * DAY)
        self.clock = StoryClock(self.progress.at)
        every_s = {name: every / SECOND for every, names in ROUNDS for name in names}
        self.stage = Stage(settings, store, self.clock, every_s=every_s)
        self._kept = orjson.dumps(asdict(known)).decode() if known else None

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
        return self.progress

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
        while self.clock.now() < self.progress.end:
            done = self.clock.now() - self.progress.start
            show(done // DAY, self._days.last)
            for scene in scenes:
                if scene.day * DAY <= done and scene.name not in self.progress.played:
                    scene.act(told)
                    self.stage.caught_up(engine)
                    self._keep(replace(self.progress, played=(*self.progress.played, scene.name)))
            self._tick(told, engine)
            self._keep(replace(self.progress, at=self.clock.now()))
        show(self._days.last, self._days.last)

    def _tick(self, told: Told, engine: StoryEngine) -> None:
        """Let a quarter of an hour pass."""
        begin, clock = self.clock.now(), self.clock
        hour = moment(begin).astimezone(ZoneInfo(ZONE)).hour
        visits = told.crowd.visits(begin, begin + TICK, hour=hour)

        async def visit() -> None:
            events: list[dict[str, Any]] = []
            for each in visits:
                clock.to(each.at)
                answer = await engine.ask("/v1/personalize", told.crowd.asks(each, SLOTS))
                events += told.crowd.does(each, answer)
            clock.to(begin + TICK)
            if events:
                await engine.ask("/v1/events", {"events": events})

        engine.run(visit)
        engine.close_window()
        names = [name for every, names in ROUNDS if (clock.now() - self.progress.start) % every == 0 for name in names]
        if names:
            engine.report(self.stage.registered)
            self.stage.run(names)
            self.stage.caught_up(engine)

    def _keep(self, after: Progress) -> None:
        """Note how far it came, so that an interrupted story goes on from there."""
        text = orjson.dumps(asdict(after)).decode()
        if text != self._kept:
            with self.stage.store.database.write() as write:
                cursors.advance(write, CURSOR, before=self._kept, after=text, fence=None)
        self._kept, self.progress = text, after


def beginning() -> Preset:
    """Return the demo as it stands thirty days ago: popularity serves everyone, the ranker waits."""
    demo = preset()
    return replace(demo, policies=tuple(replace(each, rollout=None, percent=0.0) for each in demo.policies))
