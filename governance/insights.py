"""What is told of one person: segments with confidence, and what the models in service forecast, with factors."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from governance.audience import cluster_titles, cohort_title, kind_of
from scoring_core.features.segments import segmentation
from scoring_core.learning.acts import Acts, load_acts, with_makers
from scoring_core.learning.census import ORIGINS, people_of
from scoring_core.learning.next_action import features_with_habits
from scoring_core.learning.pairs import LOOKED_BACK, pairs_at
from scoring_core.learning.pairs import WORDS as PAIR_WORDS
from scoring_core.learning.people import WORDS, features_at
from scoring_core.learning.sizes import clustered, memberships
from scoring_core.models import load_model
from scoring_core.person import Factor, PersonModel
from scoring_core.scorers.protocol import Floats
from storage import catalogue, registry
from storage.database import Database
from storage.lake import Lake
from storage.records.clock import DAY
from storage.records.document import canonical, parse
from storage.records.items import Catalogue
from storage.records.models import ModelVersion
from storage.records.segments import STANDARD_SEGMENTS

FORECASTS = ("churn", "value", "next_action")
"""The models of people that tell something of one person by themselves."""
CREATORS = "creators"
MOST_CREATORS = 5
NO_CREATOR = "nothing of any creator was looked at lately"


def insights(database: Database, lake: Lake, home: Path, *, subject: str, now: int) -> Mapping[str, Any] | None:
    """Return what is told of a pseudonym; None where no event tells of it, or it may not be profiled."""
    people, settings = people_of(database, lake, now=now, subject=subject)
    if not len(people):
        return None
    rules = {**STANDARD_SEGMENTS, **settings.segments}
    belongs = {**memberships(people, segmentation(settings.segments)), **clustered(database, home, people)}
    sure = {name: float(column[0]) for name, column in belongs.items()}
    with database.read() as read:
        titles = {**{name: rule.title for name, rule in rules.items()}, **cluster_titles(read)}
        serving = {name: model for name, model in registry.in_service(read).items() if name in (*FORECASTS, CREATORS)}
        items = catalogue.load(read) if CREATORS in serving else None
    acts = load_acts(database, lake, now=now, origins=ORIGINS, subject=subject)
    told = {
        name: forecast(loaded(serving[name], home), serving[name], acts, now) for name in FORECASTS if name in serving
    }
    if items is not None:
        everyone = load_acts(database, lake, now=now, origins=ORIGINS, start=now - LOOKED_BACK * DAY)
        told[CREATORS] = creators(loaded(serving[CREATORS], home), serving[CREATORS], everyone, items, subject, now)
    return {
        "at": now,
        "events": int(people.events[0]),
        "origins": people.origins,
        "first_at": int(people.first_at[0]),
        "segments": [
            {
                "key": name,
                "title": cohort_title(name) if kind_of(name) == "cohort" else titles.get(name) or name,
                "confidence": confidence,
            }
            for name, confidence in sorted(sure.items(), key=lambda each: -each[1])
            if confidence > 0.0
        ],
        "forecasts": told,
    }


def forecast(model: PersonModel, version: ModelVersion, acts: Acts, now: int) -> Mapping[str, Any]:
    """Return what a model tells of the only person of these acts, why, and how far it may be trusted."""
    row = _row(model, acts, now)
    said = np.atleast_1d(model.tell(row[None])[0]) if row is not None else None
    told = _standing(model, version)
    if row is None or said is None:
        return told | {"value": None, "factors": [], "reason": "nothing was done that this model reads"}
    best = int(said.argmax())
    return told | {
        "value": model.classes[best] if model.classes else float(said[0]),
        **({"chances": dict(zip(model.classes, said.tolist(), strict=True))} if model.classes else {}),
        "factors": [_spelled(factor) for factor in model.factors(row, of=best)],
    }


def creators(  # noqa: PLR0917  # each is another thing
    model: PersonModel, version: ModelVersion, everyone: Acts, items: Catalogue, subject: str, now: int
) -> Mapping[str, Any]:
    """Return of which creators a viewer is likeliest to become a customer, why, and how far that may be trusted."""
    told = _standing(model, version)
    none: Mapping[str, Any] = {"value": None, "factors": [], "creators": [], "reason": NO_CREATOR}
    if subject not in everyone.subjects:
        return {**told, **none}
    acts, _ = with_makers(everyone, items)
    pairs = pairs_at(acts, now, now, people=np.array([acts.subjects.index(subject)]))
    if not len(pairs.person):
        return {**told, **none}
    said = model.tell(pairs.features)
    first = np.argsort(-said, kind="stable")[:MOST_CREATORS].tolist()
    return told | {
        "value": acts.makers[int(pairs.maker[first[0]])],
        "creators": [{"creator": acts.makers[int(pairs.maker[row])], "chance": float(said[row])} for row in first],
        "factors": [_spelled(factor) for factor in model.factors(pairs.features[first[0]])],
    }


def _standing(model: PersonModel, version: ModelVersion) -> dict[str, Any]:
    return {
        "version": version.version,
        "horizon_days": model.horizon_days,
        "calibration": version.calibration.status,
        "verdict": version.evaluation.get("verdict", "unknown"),
        "proof": version.evaluation.get("sentence", ""),
    }


def words(factor: Factor) -> str:
    """Say a factor of a person in plain words.

    >>> words(Factor("recency_days", 12.0, 0.4)), words(Factor("last.view", 1.0, 0.2))
    ('last seen 12 days ago', 'the last act was: view')
    """
    name, value = factor.feature, factor.value
    said = WORDS.get(name) or PAIR_WORDS.get(name)
    if said:
        return said.format(value) if not np.isnan(value) else f"{name.replace('_', ' ')} not known"
    kind, _, act = name.partition(".")
    if kind == "share":
        return f"{value:.0%} of the last month's acts were: {act}" if not np.isnan(value) else "nothing in a month"
    return f"the last act was{'' if value else ' not'}: {act}"


@lru_cache(maxsize=32)
def _loaded(version: str, home: Path) -> PersonModel:
    model: PersonModel = load_model(parse(ModelVersion, version), home)
    return model


def loaded(version: ModelVersion, home: Path) -> PersonModel:
    """Return a model, kept once it was loaded."""
    return _loaded(canonical(version).decode(), home)


def _row(model: PersonModel, acts: Acts, now: int) -> Floats | None:
    if not len(acts):
        return None
    who = np.array([0])
    table = features_with_habits(acts, now, who, model.classes) if model.classes else features_at(acts, now, who)
    row: Floats = table[0]
    return row


def _spelled(factor: Factor) -> Mapping[str, Any]:
    unknown = np.isnan(factor.value)
    return {**factor._asdict(), "value": None if unknown else factor.value, "words": words(factor)}
