"""Plugins at work: each is called within a deadline and past a circuit of its own, checked, counted, and shown."""

import asyncio
import inspect
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from scoring_core.edges.circuits import Circuit, State
from scoring_core.edges.instruments import LabelValues
from scoring_core.edges.judgement import bad_scalar
from scoring_core.edges.lanes import Lane
from scoring_core.edges.telemetry import Telemetry
from scoring_core.live import Facts, Live, Model, Request
from scoring_core.plan import PlannedSurface
from scoring_core.plugins import PREFIX, Asked, Plugins, PluginScorer
from scoring_core.plugins import scorers as scorer_models
from scoring_core.scorers.protocol import Floats
from storage.errors import Invalid, Unavailable
from storage.records.events import Scalar

T = TypeVar("T")

RESULTS = ("ok", "error", "timeout", "open_circuit")
STATES: Mapping[State, float] = {"closed": 0.0, "half": 1.0, "open": 2.0}
LONGEST_ID = 256
WIDTH = 4
"""How many threads a plain enricher or source may take."""

_log = logging.getLogger("fairlead.engine")


class Attached:
    """One plugin of this replica: its threads, its circuit, its counts. Called on the event loop's thread only."""

    def __init__(self, label: str, *, version: str, limit_s: float, telemetry: Telemetry, width: int) -> None:
        self.label = label
        self.version = version
        self.lane = Lane(label, width=width)
        self.circuit = Circuit(time.monotonic)
        self.trouble = ""
        """What the last failure was."""
        self._limit_s = limit_s
        self._counts = {result: telemetry.dependencies.child(label, result) for result in RESULTS}
        self._seconds = telemetry.dependency_seconds.child(label)

    async def ask(self, work: Callable[[], Any], check: Callable[[Any], T]) -> T | None:
        """Return what a call gave, once it is checked; None where it gave nothing of use in time."""
        if (future := self._begin(work)) is None:
            return None
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self._limit_s):
                found = check(await asyncio.wrap_future(future))
        except TimeoutError:
            self._failed("timeout", f"took longer than {self._limit_s * 1e3:.0f} ms")
            return None
        except (RuntimeError, Invalid) as error:
            self._failed("error", str(error))
            return None
        self._worked(time.monotonic() - begun)
        return found

    def score(self, score: Callable[[Floats], Floats], table: Floats) -> Floats:
        """Return what a scorer gave. The decision waits for it: no longer than the deadline.

        Raises
        ------
        Unavailable
            If it gave nothing of use in time; the decision's fallback serves.
        """
        if (future := self._begin(lambda: score(table))) is None:
            raise Unavailable(f"{self.label} is not asked now")
        begun = time.monotonic()
        try:
            found: Floats = future.result(self._limit_s)
        except TimeoutError:
            future.cancel()
            self._failed("timeout", f"took longer than {self._limit_s * 1e3:.0f} ms")
            raise Unavailable(f"{self.label} was too slow") from None
        except RuntimeError as error:
            self._failed("error", str(error))
            raise Unavailable(f"{self.label} failed") from None
        self._worked(time.monotonic() - begun)
        return found

    def shown(self) -> Mapping[str, Any]:
        """Return what an operator sees."""
        return {
            "version": self.version,
            "state": self.circuit.state(),
            "trouble": self.trouble,
            **{result: int(count.value) for result, count in self._counts.items()},
        }

    def _begin(self, work: Callable[[], Any]) -> Future[Any] | None:
        if not self.circuit.allows():
            self._counts["open_circuit"].add()
            return None
        try:
            return self.lane.submit(work, coroutine=inspect.iscoroutinefunction(work))
        except Unavailable:
            self._failed("timeout", "calls before are still under way")
            return None

    def _worked(self, seconds: float) -> None:
        self.circuit.worked()
        self._counts["ok"].add()
        self._seconds.observe(seconds)

    def _failed(self, result: str, trouble: str) -> None:
        self.trouble = trouble
        self.circuit.failed()
        self._counts[result].add()


class Attachments:
    """The plugins of one replica."""

    def __init__(self, plugins: Plugins, telemetry: Telemetry, *, limit_s: float) -> None:
        self._plugins = plugins
        self._telemetry = telemetry
        self._limit_s = limit_s
        self._enrichers, self._sources = plugins.of("enricher"), plugins.of("source")
        self._scorers = scorer_models(plugins)
        self._attached: dict[str, Attached] = {}
        for (kind, name), plugin in plugins.found.items():
            if kind != "model":  # a model has its circuit when one is in service
                self._attach(f"{kind}.{name}", plugin.version)
        for broken in plugins.broken:
            _log.error("plugin %s of kind %s is skipped: %s", broken.name, broken.kind, broken.reason)

    def models(self, held: Mapping[str, Model]) -> dict[str, Model]:
        """Return what scores: the registry's models and the scorer plugins, those of others past their circuits."""
        found = {**held, **self._scorers}
        return {name: self._guarded(name, model) for name, model in found.items()}

    async def facts(self, request: Request, live: Live, facts: Facts, now: int) -> Facts:
        """Add what enrichers and sources say of the request of one who agreed; what fails is missing."""
        place = live.plan.surfaces.get(request.surface)
        if place is None or not (place.enrichers or place.told):
            return facts
        asked = _asked(request, facts, now)
        enrichers = [name for name in place.enrichers if name in self._enrichers]
        wanted = _quotas(place, request)
        sources = [name for name in wanted if name in self._sources]
        said, brought = await asyncio.gather(
            asyncio.gather(*(self._enrich(name, asked) for name in enrichers)),
            asyncio.gather(*(self._find(name, asked, wanted[name]) for name in sources)),
        )
        return msgspec.structs.replace(
            facts,
            plugins={
                f"{name}.{key}": value
                for name, one in zip(enrichers, said, strict=True)
                for key, value in (one or {}).items()
            },
            brought={name: one for name, one in zip(sources, brought, strict=True) if one is not None},
        )

    def shown(self) -> dict[str, Any]:
        """Return what an operator sees of every plugin, the broken ones too."""
        found = {label: attached.shown() for label, attached in sorted(self._attached.items())}
        for broken in self._plugins.broken:
            found[f"{broken.kind}.{broken.name}"] = {"version": "", "state": "broken", "trouble": broken.reason}
        return found

    def states(self) -> Mapping[LabelValues, float]:
        """Return the state of every circuit, as the gauge reads it."""
        return {(label,): STATES[each.circuit.state()] for label, each in self._attached.items()}

    def close(self) -> None:
        """Let their threads end."""
        for attached in self._attached.values():
            attached.lane.close()

    def _attach(self, label: str, version: str) -> Attached:
        width = WIDTH if label.startswith(("enricher.", "source.")) else 1  # a decision scores one table at a time
        made = Attached(label, version=version, limit_s=self._limit_s, telemetry=self._telemetry, width=width)
        self._attached[label] = made
        return made

    def _guarded(self, name: str, model: Model) -> Model:
        scorer = model.scorer
        if not isinstance(scorer, PluginScorer):
            return model
        label = f"scorer.{name.removeprefix(PREFIX)}" if name in self._scorers else f"model.{name}"
        attached = self._attached.get(label) or self._attach(label, scorer.version)
        attached.version = scorer.version
        return replace(model, scorer=replace(scorer, call=attached.score))

    async def _enrich(self, name: str, asked: Asked) -> Mapping[str, Scalar] | None:
        made = self._enrichers[name].made
        work = _call(made.enrich, asked)
        return await self._attached[f"enricher.{name}"].ask(work, lambda said: outputs(said, made.outputs))

    async def _find(self, name: str, asked: Asked, quota: int) -> tuple[str, ...] | None:
        work = _call(self._sources[name].made.find, asked, quota)
        return await self._attached[f"source.{name}"].ask(work, lambda found: ids(found, quota))


def outputs(said: Any, declared: Mapping[str, type]) -> Mapping[str, Scalar]:
    """Return what an enricher said, if it is what it declared.

    Raises
    ------
    Invalid
        If it is not.
    """
    if not isinstance(said, Mapping) or not all(
        key in declared and (type(value) is declared[key] or (type(value) is int and declared[key] is float))
        for key, value in said.items()
    ):
        raise Invalid("gave something else than the outputs that it declares")
    if any(isinstance(value, float) and not abs(value) < float("inf") for value in said.values()):
        raise Invalid("gave a number that is none")
    if bad_scalar(said, "outputs"):
        raise Invalid("gave a value that no record can hold")
    return {key: float(value) if declared[key] is float else value for key, value in said.items()}


def ids(found: Any, quota: int) -> tuple[str, ...]:
    """Return the first ``quota`` item ids that a source found.

    Raises
    ------
    Invalid
        If they are none.
    """
    if not isinstance(found, list | tuple):
        raise Invalid("gave something else than a list of item ids")
    taken = tuple(found[:quota])
    if not all(isinstance(item, str) and 0 < len(item) <= LONGEST_ID for item in taken):
        raise Invalid("gave something else than a list of item ids")
    return tuple(dict.fromkeys(taken))


def _quotas(place: PlannedSurface, request: Request) -> dict[str, int]:
    """Return which sources are asked, for how many: none where the caller named candidates, or
    wants no items."""
    found: dict[str, int] = {}
    for source in place.told if request.candidates is None and request.slots else ():
        if source.name == "plugin" or request.query is not None:
            found[source.model] = max(found.get(source.model, 0), source.quota)
    return found


def _call(method: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    if not inspect.iscoroutinefunction(method):
        return lambda: method(*arguments)

    async def awaited() -> Any:
        return await method(*arguments)

    return awaited


def _asked(request: Request, facts: Facts, now: int) -> Asked:
    return Asked(
        surface=request.surface,
        campaign=request.campaign,
        subject=request.subject,
        session=request.session,
        slots=request.slots,
        context=dict(request.context),
        candidates=request.candidates,
        query=request.query,
        filters=dict(request.filters),
        user=facts.user,
        now=now,
    )
