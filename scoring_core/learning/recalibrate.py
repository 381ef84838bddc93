"""A ranker's confidence fitted anew on what came after its training: the same trees under a new version."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from pathlib import Path

import numpy as np

from scoring_core.learning.calibrate import MIN_CLICKED, calibrate, change, draw_pairs, words
from scoring_core.learning.comparisons import Comparison, trained_until
from scoring_core.learning.datasets import feature_table, load_examples
from scoring_core.learning.kept import kept_retrievers
from scoring_core.learning.quality import feedback_quality
from scoring_core.learning.train import number
from scoring_core.models import load_scorer
from scoring_core.shelf import build_shelf
from storage import catalogue, registry
from storage.database import Database
from storage.errors import Invalid
from storage.files import wire
from storage.lake import Lake
from storage.records.clock import iso
from storage.records.models import ModelVersion

GROWTH = 1.1
"""How many times the clicked impressions of the present calibration a new one takes at least."""
MARGIN = 0.002
"""The loss of Brier score that counts as no worse."""


def recalibrate(
    database: Database,
    lake: Lake,
    home: Path,
    *,
    name: str = "ranker",
    now: int,
    seed: int,
    origins: Sequence[str] = ("live", "imported"),
) -> ModelVersion:
    """Fit the calibration of the version in service on all outcomes since its training, and register the result.

    Raises
    ------
    Invalid
        If no ensemble of that name serves, or too few outcomes came since.
    """
    with database.read() as read:
        current, shelf = registry.in_service(read).get(name), build_shelf(catalogue.load(read))
    if current is None or current.kind != "gbdt" or current.members < 2:
        raise Invalid(f"no ensemble of the name {name} is in service")
    held_out = load_examples(
        database, lake, shelf=shelf, now=now, origins=origins, start=trained_until(current) + 1
    ).trusted(feedback_quality(database, lake, now=now, origins=origins).trust)
    wanted = max(MIN_CLICKED, ceil(GROWTH * current.calibration.clicked_impressions))
    if held_out.clicks < wanted:
        raise Invalid(f"{held_out.clicks:,} of the {wanted:,} clicked impressions that a new calibration takes")
    rng = np.random.Generator(np.random.PCG64(seed))
    kept = kept_retrievers(database, home, shelf)
    table = feature_table(held_out, current.features, categories=current.categories, shelf=shelf, kept=kept)
    pairs = draw_pairs(held_out, load_scorer(current, home).scorer.score(table), rng)
    if pairs.clicked_impressions < MIN_CLICKED:
        raise Invalid(f"{pairs.clicked_impressions:,} of {MIN_CLICKED:,} clicked impressions stand beside another")
    found = calibrate(pairs, held_out_share=1.0, rng=rng)
    new, old, difference, low, high = change(pairs, current.calibration, rng)
    compared = Comparison(
        metric="Brier loss",
        challenger=new,
        champion=old,
        difference=difference,
        low=low,
        high=high,
        margin=MARGIN,
        count=pairs.clicked_impressions,
        sentence=f"Brier loss of the confidence {new:.4f} against {old:.4f} of version {current.version}; better by "
        f"{difference:+.4f} [{low:+.4f}, {high:+.4f}], {pairs.clicked_impressions:,} clicked impressions.",
    )
    version = number(now)
    model = replace(
        current,
        version=version,
        created_at=now,
        path=f"models/{name}/{version}",
        calibration=found,
        evaluation={
            **current.evaluation,
            "calibration": words(found),
            "calibration_change": compared.document(),
        },
        lineage={
            **current.lineage,
            "recalibrated": {
                "from": current.version,
                "rows": len(held_out),
                "since": iso(int(held_out.at[0])),
                "to": iso(int(held_out.at[-1])),
                "seed": seed,
            },
        },
    )
    with wire("the models"):
        shutil.copytree(home / current.path, home / model.path)
    with database.write() as write:
        registry.register(write, model)
    return model
