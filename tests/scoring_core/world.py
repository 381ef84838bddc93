"""A small world to decide in: a shelf, an ensemble, one policy per surface."""

from dataclasses import replace
from functools import cache
from hashlib import sha256
from typing import Any

import lightgbm
import numpy as np

from scoring_core.compile import compile_live
from scoring_core.decide import decide
from scoring_core.explore import seeded
from scoring_core.gate import admit
from scoring_core.live import Facts, ItemFeatures, Live, Model, Request
from scoring_core.scorers.gbdt import GbdtScorer, digest
from scoring_core.scorers.protocol import Floats, Scores
from scoring_core.scorers.trees import compile_forest
from scoring_core.shelf import build_shelf
from storage.records.consent import ConsentFlags
from storage.records.decisions import Decision
from storage.records.items import Catalogue, Item
from storage.records.models import Calibration
from storage.records.policies import (
    ConfidenceRule,
    Exploration,
    Installation,
    Policy,
    PolicyState,
    ScorerChoice,
    Snapshot,
)
from storage.records.subjects import USER_DIMENSIONS, UserState

NOW = 1_700_000_000_000_000
FEATURES = (
    "item.price",
    "item.kind",
    "context.mood",
    "context.age",
    "stat.ctr",
    "user.0",
    "user.affinity",
    "user.norm",
)
CATEGORIES = {"item.kind": ("book", "shoe"), "context.mood": ("calm", "wild")}
CALIBRATED = Calibration(status="unproven", x=(0.0, 0.5, 1.0), y=(0.1, 0.5, 0.95))
CERTAIN = Exploration(epsilon=0.0)
TRUSTING = ConfidenceRule(threshold=0.0)
STRICT = ConfidenceRule(threshold=1.0)
ONE_SUBJECT = "5f" * 16


class LinearEnsemble:
    """An ensemble of linear models: small, exact, and every weight counts."""

    name = "linear"
    version = "7"

    def __init__(self, weights: Floats, features: tuple[str, ...] = FEATURES) -> None:
        self.features = features
        self.weights = weights
        self.digest = sha256(weights.tobytes()).hexdigest()

    def score(self, table: Floats) -> Scores:
        filled = np.nan_to_num(table, nan=-1.0)
        members = np.stack([(filled * row).sum(axis=1) for row in self.weights], axis=1)
        return Scores(members.mean(axis=1), members)


class Consent:
    """A consent record: everyone agrees but those in ``denied``."""

    def __init__(self, *, denied: frozenset[str] = frozenset(), epoch: int = 3, lease: bool = True) -> None:
        self.denied = denied
        self.epoch = epoch
        self.lease = lease
        self.asked: list[str] = []

    def flags(self, subject: str, region: str = "") -> ConsentFlags:
        self.asked.append(subject)
        agreed = subject not in self.denied
        return ConsentFlags(tracking=agreed, personalization=agreed, profiling=agreed)

    def lease_holds(self, monotonic_us: int) -> bool:
        return self.lease


def catalogue(count: int = 12) -> Catalogue:
    return Catalogue(
        version=4,
        items=tuple(
            Item(
                item_id=f"i{number}",
                title=f"Item {number}",
                attributes={"price": float(number % 7), "kind": ("book", "shoe")[number % 2]},
                tags=("new",) if number % 3 == 0 else (),
            )
            for number in range(count)
        ),
    )


def statistics(count: int = 12, epoch: int = 9) -> ItemFeatures:
    rng = np.random.Generator(np.random.PCG64(5))
    return ItemFeatures(epoch=epoch, values=rng.random((count, 5)))


def ensemble(members: int = 10, seed: int = 1) -> LinearEnsemble:
    rng = np.random.Generator(np.random.PCG64(seed))
    return LinearEnsemble(rng.random((members, len(FEATURES))) - 0.5)


@cache
def tree_texts(members: int = 3) -> tuple[str, ...]:
    """Bagged LightGBM members over ``FEATURES``, as the registry keeps them."""
    rng = np.random.Generator(np.random.PCG64(6))
    table = rng.random((300, len(FEATURES))) * 4 - 2
    table[rng.random(table.shape) < 0.1] = np.nan
    label = (np.nansum(table[:, :4], axis=1) + rng.random(300) > 0).astype(float)
    quiet = {"objective": "binary", "verbosity": -1, "num_threads": 1, "deterministic": True, "num_leaves": 6}
    return tuple(
        lightgbm.train({**quiet, "seed": member}, lightgbm.Dataset(table[member:], label[member:]), 5).model_to_string()
        for member in range(members)
    )


def trees(texts: tuple[str, ...] | None = None) -> GbdtScorer:
    """The ranker's own scorer over ``FEATURES``."""
    texts = texts or tree_texts()
    return GbdtScorer(
        name="ranker", version="7", digest=digest(texts), features=FEATURES, texts=texts, forest=compile_forest(texts)
    )


def policy(**changes: Any) -> Policy:
    return Policy(surface="home", scorer=ScorerChoice(name="gbdt", parameters={"model": "ranker"}), **changes)


def trusting(**changes: Any) -> Policy:
    return policy(confidence=TRUSTING, exploration=CERTAIN, **changes)


def strict(**changes: Any) -> Policy:
    return policy(confidence=STRICT, exploration=CERTAIN, **changes)


def world(
    document: Policy | None = None,
    *,
    consent: Consent | None = None,
    calibration: Calibration = CALIBRATED,
    items: ItemFeatures | None = None,
    stock: Catalogue | None = None,
    scorer: Any = None,
    **snapshot: Any,
) -> Live:
    """A live view with one stable policy for the surface ``home``."""
    shelf = build_shelf(stock or catalogue())
    policies = {"home": PolicyState(key="home", surface="home", stable=1, versions={1: document or policy()})}
    return compile_live(
        Snapshot(**{"revision": 11, "at": NOW, "policies": policies, "installation": Installation(), **snapshot}),
        consent or Consent(),
        models={"ranker": Model(scorer or ensemble(), calibration, CATEGORIES)},
        shelf=shelf,
        items=items or statistics(len(shelf.catalogue.items)),
    )


def request(**changes: Any) -> Request:
    values: dict[str, Any] = {
        "decision_id": "0190a0a0-0000-7000-8000-000000000001",
        "subject": "5f" * 16,
        "session": "s-1",
        "sequence": 2,
        "surface": "home",
        "campaign": None,
        "slots": 3,
        "context": {"mood": "calm", "age": 33.0},
        "candidates": tuple(f"i{number}" for number in range(8)),
    }
    return Request(**{**values, **changes})


def user() -> UserState:
    vector = np.linspace(-1, 1, USER_DIMENSIONS, dtype="<f4")
    return UserState(vector=vector.tobytes(), updated_at=NOW - 3_600_000_000, events=6)


def decided(
    live: Live, asked: Request | None = None, *, seed: int = 42, now: int = NOW, known: bool = True, **told: Any
) -> Decision:
    """Decide as an engine would: the gate, then the decision."""
    asked = asked or request()
    facts = Facts(user=user() if known else None, **told)
    return decide(asked, facts, live, seeded(seed), now, admission=admit(asked, live, now), replica="engine-1")


def scores_of(record: Decision) -> list[float]:
    return np.frombuffer(record.scores, "<f8").tolist()


def greedy(live: Live) -> Live:
    """The same world without exploration."""
    states = {}
    for key, state in live.snapshot.policies.items():
        versions = {
            number: replace(version, exploration=replace(version.exploration, epsilon=0.0))
            for number, version in state.versions.items()
        }
        states[key] = replace(state, versions=versions)
    snapshot = replace(live.snapshot, policies=states)
    return compile_live(snapshot, live.consent, models=live.models, shelf=live.shelf, items=live.items)
