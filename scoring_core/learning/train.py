"""Training of the ranker from the lake: bagged LightGBM members, held-out evaluation, calibration, lineage."""

import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field
from sqlmodel import select

from scoring_core.features import interests, table
from scoring_core.learning.calibrate import calibrate, draw_pairs, words
from scoring_core.learning.datasets import Examples, describe_features, feature_table, load_examples
from scoring_core.learning.evaluate import compare, popularity
from scoring_core.learning.quality import Quality, feedback_quality
from scoring_core.live import Shelf
from scoring_core.scorers.gbdt import digest, disagreements, member_file, probe, scorer_of
from scoring_core.scorers.protocol import Floats
from scoring_core.shelf import build_shelf
from storage import catalogue, registry
from storage.database import Database
from storage.errors import Conflict, Full, Invalid, Unavailable
from storage.lake import Lake
from storage.records.clock import iso, moment
from storage.records.document import document, parse
from storage.records.events import Origin
from storage.records.models import ModelVersion
from storage.tables.observed import LakeFileRow

HELD_OUT = 0.3
"""The last share of the impressions, by time, that no tree sees."""

MIN_CLICKS = 20
PROBE_ROWS = 4_096

PARAMETERS: Mapping[str, Any] = {
    "objective": "binary",
    "num_leaves": 15,
    "learning_rate": 0.1,
    "lambda_l2": 1.0,
    "feature_fraction": 0.8,
    "min_sum_hessian_in_leaf": 1e-3,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


@document
class Training:
    """What may be asked of a training; the name becomes a folder."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    origins: Annotated[tuple[Origin, ...], Field(min_length=1)]
    members: Annotated[int, Field(ge=1, le=100)]
    trees: Annotated[int, Field(ge=1, le=2_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a training starts from: examples of the past, of held-out time, and the shelf they speak of."""

    past: Examples
    held_out: Examples
    shelf: Shelf
    files: tuple[Mapping[str, Any], ...]
    quality: Quality


def prepare(database: Database, lake: Lake, *, now: int, origins: Sequence[str], end: int = 2**62) -> Prepared:
    """Read the lake, weigh each row by how far its subject's feedback is trusted, and split it by time."""
    with database.read() as read:
        shelf = build_shelf(catalogue.load(read))
        rows = read.all(select(LakeFileRow).order_by(LakeFileRow.path))
    examples = load_examples(database, lake, shelf=shelf, now=now, origins=origins, end=end)
    quality = feedback_quality(database, lake, now=now, origins=origins)
    past, held_out = examples.trusted(quality.trust).split(HELD_OUT)
    files = tuple({"path": row.path, "sha256": row.sha256, "rows": row.rows} for row in rows if row.origin in origins)
    return Prepared(past=past, held_out=held_out, shelf=shelf, files=files, quality=quality)


def fit(
    past: Examples, features: Floats, *, names: Sequence[str], members: int, trees: int, seed: int
) -> tuple[str, ...]:
    """Fit every member on its own Poisson bootstrap of the rows; return their text models."""
    import lightgbm

    weight = past.weight / past.weight.mean()
    rng = np.random.Generator(np.random.PCG64(seed))
    smallest = max(20, len(past) // 500)
    data = lightgbm.Dataset(
        features,
        past.clicked.astype(np.float64),
        feature_name=[name.replace(".", "__") for name in names],
        params={**PARAMETERS, "min_data_in_leaf": smallest},
        free_raw_data=False,
    ).construct()
    texts = []
    for member in range(members):
        data.set_weight(weight * rng.poisson(1.0, len(past)))
        booster = lightgbm.train(
            {**PARAMETERS, "min_data_in_leaf": smallest, "seed": seed + member}, data, num_boost_round=trees
        )
        texts.append(booster.model_to_string())
    return tuple(texts)


def train(
    database: Database,
    lake: Lake,
    home: Path,
    *,
    name: str = "ranker",
    now: int,
    seed: int,
    origins: Sequence[str] = ("imported",),
    members: int = 10,
    trees: int = 20,
) -> ModelVersion:
    """Train, check bit parity, evaluate, calibrate, write ``models/<name>/<version>/`` and register, not promote.

    Raises
    ------
    Invalid
        If an argument makes no sense, or the lake holds too little to learn from.
    Full, Unavailable
        If the files cannot be written.
    """
    wanted = {"name": name, "seed": seed, "origins": origins, "members": members, "trees": trees}
    parse(Training, wanted)
    prepared = prepare(database, lake, now=now, origins=origins)
    past, shelf = prepared.past, prepared.shelf
    if past.clicks < MIN_CLICKS:
        raise Invalid(
            f"too little to learn from: {len(past):,} impressions with {past.clicks} clicks of origin "
            f"{', '.join(origins)}; {MIN_CLICKS} clicks are the least. Import data or wait for traffic"
        )
    names, categories = describe_features(past, shelf)
    texts = fit(
        past,
        feature_table(past, names, categories=categories, shelf=shelf),
        names=names,
        members=members,
        trees=trees,
        seed=seed,
    )
    draft = ModelVersion(
        name=name,
        version=number(now),
        created_at=now,
        path=f"models/{name}/{number(now)}",
        digest=digest(texts),
        features=names,
        categories=categories,
        members=members,
        trees=trees,
    )
    model = _judged(draft, texts, prepared, seed=seed, origins=origins)
    _write_files(home, model, texts)
    with database.write() as write:
        registry.register(write, model)
    return model


def number(now: int) -> str:
    """Return the version of a model made at a moment.

    >>> number(1_500_000)
    '19700101T000001.500000Z'
    """
    return f"{moment(now):%Y%m%dT%H%M%S}.{now % 1_000_000:06d}Z"


def _judged(
    draft: ModelVersion, texts: Sequence[str], prepared: Prepared, *, seed: int, origins: Sequence[str]
) -> ModelVersion:
    scorer = scorer_of(draft, texts)
    rng = np.random.Generator(np.random.PCG64(seed))
    held_out = prepared.held_out
    seen = feature_table(held_out, draft.features, categories=draft.categories, shelf=prepared.shelf)
    wrong = disagreements(scorer, seen) + disagreements(scorer, probe(scorer.forest, PROBE_ROWS, rng))
    if wrong:
        raise Conflict(f"the compiled trees differ from LightGBM in {wrong} scores; the model is not registered")
    scores = scorer.score(seen)
    rival = popularity(prepared.past, len(prepared.shelf.catalogue.items))[held_out.ordinal]
    evaluation = compare(held_out, scores.values, rival, against="popularity")
    share = len(held_out) / max(1, len(held_out) + len(prepared.past))
    calibration = calibrate(draw_pairs(held_out, scores, rng), held_out_share=share, rng=rng)
    return replace(
        draft,
        evaluation={
            **evaluation.document(),
            "calibration": words(calibration),
            "parity": {"scores": (len(seen) + PROBE_ROWS) * draft.members, "differences": wrong},
        },
        calibration=calibration,
        lineage=_lineage(prepared, seed=seed, origins=origins),
    )


def _lineage(prepared: Prepared, *, seed: int, origins: Sequence[str]) -> Mapping[str, Any]:
    past, held_out = prepared.past, prepared.held_out

    def period(examples: Examples) -> Mapping[str, Any]:
        known = len(examples) > 0
        return {
            "rows": len(examples),
            "clicks": examples.clicks,
            "from": iso(int(examples.at[0])) if known else None,
            "to": iso(int(examples.at[-1])) if known else None,
        }

    return {
        "files": list(prepared.files),
        "origins": list(origins),
        "catalogue": prepared.shelf.catalogue.version,
        "trained": period(past),
        "held_out": period(held_out),
        "dropped": dict(past.dropped),
        "weights": "inverse propensity, clipped at 100, times the trust in the subject's feedback",
        "feedback": prepared.quality.document(),
        "seed": seed,
        "parameters": dict(PARAMETERS),
        "code": {
            "fairlead": version("fairlead"),
            "source": _source_digest(),
            "python": platform.python_version(),
            **{library: version(library) for library in ("lightgbm", "numpy", "numba", "scikit-learn")},
        },
    }


def _source_digest() -> str:
    """Return the digest of the code that makes features and models."""
    files = [*sorted(Path(__file__).parent.glob("*.py")), Path(table.__file__), Path(interests.__file__)]
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _write_files(home: Path, model: ModelVersion, texts: Sequence[str]) -> None:
    folder = home / model.path
    try:
        folder.mkdir(parents=True, exist_ok=False)
        for member, text in enumerate(texts):
            (folder / member_file(member)).write_text(text, encoding="utf-8")
    except FileExistsError:
        raise Conflict(f"model {model.name} {model.version} already has a folder; versions are immutable") from None
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        if error.errno == 28:
            raise Full("no room left on the disk for the model's files") from error
        raise Unavailable("the model's folder cannot be written; check the rights of the home folder") from error
