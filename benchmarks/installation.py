"""An installation for benchmarks: a catalogue, a ranker of 200 trees on 50 features, one policy with 60 rules and three
caps, engines on a core."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from fairlead.settings import Settings
from fairlead.wiring import Store, control_of, open_store
from governance.control import Control
from governance.preset import Preset, PresetPolicy
from governance.warrants import Warrant, system
from scoring_core.features.table import FeatureTable
from scoring_core.live import ItemFeatures
from scoring_core.scorers.gbdt import digest, member_file
from scoring_core.shelf import build_shelf
from storage import catalogue, registry
from storage.records import clock
from storage.records.campaigns import Campaign
from storage.records.caps import Cap
from storage.records.events import ITEM_STATS, EventType
from storage.records.items import Item
from storage.records.models import ModelVersion
from storage.records.policies import (
    Attribute,
    ConfidenceRule,
    Installation,
    Policy,
    ScorerChoice,
    Source,
    Surface,
)
from storage.records.rules import Rule, RuleAction

ITEMS, CANDIDATES, MEMBERS, TREES = 1_000, 100, 10, 20
SUBJECTS = 5_000
RULES = 60
ITEM_FEATURES, CONTEXT_FEATURES = 38, 6
FEATURES = (
    *(f"item.f{number}" for number in range(ITEM_FEATURES)),
    *(f"context.c{number}" for number in range(CONTEXT_FEATURES)),
    "user.affinity",
    "user.norm",
    "user.events",
    *(f"stat.{name}" for name in ITEM_STATS[2:]),
)
assert len(FEATURES) == 50


def item_id(number: int) -> str:
    """Return the id of an item of the benchmark's catalogue."""
    return f"item-{number}"


def context(rng: np.random.Generator) -> dict[str, float]:
    """Return one request's context."""
    return {f"c{number}": float(value) for number, value in enumerate(rng.normal(size=CONTEXT_FEATURES))}


def rules() -> tuple[Rule, ...]:
    """Return 60 rules that are asked at every decision, of which about half hold."""
    rng = np.random.default_rng(60)
    made = []
    for number in range(RULES):
        asked, item = number % CONTEXT_FEATURES, number % ITEM_FEATURES
        when: dict[str, Any] = {f"c{asked}": {"$gt": float(rng.normal())}}
        if number % 12 == 0:
            when["user.clicks"] = {"$gte": 1}
        action: RuleAction = "exclude" if number % 10 == 9 else "pin" if number % 30 == 7 else "boost"
        made.append(
            Rule(
                key=f"rule-{number}",
                action=action,
                when=when,
                items={f"f{item}": {"$gt": float(rng.uniform(1.5, 2.5))}},
                factor=float(rng.uniform(0.9, 1.2)) if action == "boost" else 1.0,
                slot=3 if action == "pin" else 1,
                priority=number % 5,
            )
        )
    return tuple(made)


CAPS = (
    Cap(key="same-item", limit=200, unit="day", per="item"),
    Cap(key="campaign", limit=900, unit="week", per="campaign"),
    Cap(key="anything", limit=1_000, unit="month", per="any"),
)


def _preset() -> Preset:
    return Preset(
        name="benchmark",
        installation=Installation(
            region="benchmark",
            consent_default={
                "default": {},
                "benchmark": {"tracking": "allow", "personalization": "allow", "profiling": "allow"},
            },
            events={
                "impression": EventType(weight=0.0, role="shown", counter="impressions"),
                "click": EventType(role="interest", counter="clicks"),
            },
            surfaces={
                "home": Surface(
                    key="home",
                    context={f"c{number}": Attribute(type="number") for number in range(CONTEXT_FEATURES)},
                )
            },
        ),
        campaigns=(Campaign(key="bench", name="Benchmark", surfaces=("home",), status="running"),),
        policies=(
            PresetPolicy(
                key="home",
                surface="home",
                versions=(
                    Policy(
                        surface="home",
                        scorer=ScorerChoice(name="gbdt", parameters={"model": "ranker"}),
                        confidence=ConfidenceRule(when_uncalibrated="model"),
                        sources=(Source(name="caller"), Source(name="catalogue")),
                        rules=rules(),
                        caps=CAPS,
                    ),
                    Policy(surface="home", scorer=ScorerChoice(name="popular")),
                ),
            ),
        ),
    )


def _train(home: Path, rng: np.random.Generator) -> tuple[str, ...]:
    table = rng.normal(size=(20_000, len(FEATURES)))
    signal_ = table[:, :6].sum(axis=1) + table[:, ITEM_FEATURES : ITEM_FEATURES + 2].sum(axis=1)
    clicked = (rng.random(len(table)) < 1 / (1 + np.exp(-signal_ / 2))).astype(int)
    parameters = {"objective": "binary", "num_leaves": 31, "verbosity": -1, "num_threads": 1, "deterministic": True}
    texts = []
    for member in range(MEMBERS):
        rows = rng.integers(0, len(table), len(table))
        data = lightgbm.Dataset(table[rows], clicked[rows], feature_name=[f"f{i}" for i in range(len(FEATURES))])
        texts.append(lightgbm.train({**parameters, "seed": member}, data, TREES).model_to_string())
    folder = home / "models" / "ranker" / "bench"
    folder.mkdir(parents=True)
    for member, text in enumerate(texts):
        (folder / member_file(member)).write_text(text)
    return tuple(texts)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A prepared home: its settings, stores, control and a token that may decide and send events."""

    settings: Settings
    store: Store
    control: Control
    token: str
    texts: tuple[str, ...]

    def static_table(self) -> np.ndarray:
        """Return the items' features as plain arrays, as a bare server would hold them."""
        with self.store.database.read() as read:
            shelf = build_shelf(catalogue.load(read))
        items = ItemFeatures(epoch=0, values=np.zeros((ITEMS, len(ITEM_STATS))))
        return FeatureTable(FEATURES, shelf).rows(np.arange(ITEMS), {}, None, items)


def free_port(count: int = 1) -> int:
    """Return the first of ``count`` neighbouring free ports."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port + count < 65_000 and all(_free(port + offset) for offset in range(count)):
            return port


def _free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def prepare(home: Path, *, replicas: int = 1, seed: int = 7, **more: Any) -> Bench:
    """Make an installation in an empty folder; ``more`` are further settings."""
    rng = np.random.default_rng(seed)
    settings = local_settings(home, replicas, **more)
    store = open_store(settings)
    control = control_of(settings, store)
    texts = _train(home, rng)
    model = ModelVersion(
        name="ranker",
        version="bench",
        created_at=clock.now(),
        path="models/ranker/bench",
        digest=digest(texts),
        features=FEATURES,
        members=MEMBERS,
        trees=MEMBERS * TREES,
    )
    items = [
        Item(
            item_id=item_id(number),
            attributes={f"f{feature}": float(value) for feature, value in enumerate(rng.normal(size=ITEM_FEATURES))},
        )
        for number in range(ITEMS)
    ]
    with store.database.write() as write:
        catalogue.upsert(write, items, now=clock.now())
        registry.register(write, model)
        registry.promote(write, model.name, model.version)
    control.bootstrap(home, _preset())
    warrant = Warrant(by=system("benchmark"), reason="a benchmark installation")
    control.publish_models(warrant)
    minted = control.mint(
        name="benchmark",
        principal="benchmark",
        role="service",
        scopes=("decide", "events:write", "journal:read", "metrics:read", "decision:read"),
        expires_in_s=None,
        warrant=warrant,
    )
    return Bench(settings=settings, store=store, control=control, token=minted.token, texts=texts)


def local_settings(home: Path, replicas: int, **more: Any) -> Settings:
    """Return settings on free ports of this machine."""
    first = free_port(replicas + 2)
    return Settings(
        home=home,
        engine_port=first,
        control_port=first + replicas,
        dashboard_port=first + replicas + 1,
        solo=True,
        **more,
    )


@contextlib.contextmanager
def engine(bench: Bench, *, replica: int = 0, core: int | None = 0) -> Iterator[subprocess.Popen[bytes]]:
    """Run one engine process, on one core, until the block ends; it is ready when this yields."""
    settings = bench.settings
    environment = {**os.environ, **settings.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "fairlead", "engine", "--replica", str(replica)]
    with process(command, environment, core=core) as child:
        wait_ready(f"http://127.0.0.1:{settings.engine_port + replica}/readyz", child)
        yield child


@contextlib.contextmanager
def process(
    command: list[str], environment: dict[str, str], *, core: int | None = 0
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a child process, pinned to a core, and stop it when the block ends."""
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    if core is not None:
        os.sched_setaffinity(child.pid, {core})
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def wait_ready(url: str, child: subprocess.Popen[bytes], *, seconds: float = 240.0) -> None:
    """Wait until a server answers 200.

    Raises
    ------
    RuntimeError
        If it ends or stays silent.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if child.poll() is not None:
            raise RuntimeError(f"the server ended with {child.returncode} before it was ready")
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"no answer from {url} in {seconds:.0f} s")
