"""Training of the ranker from the lake: LightGBM members on half-samples, held-out evaluation, calibration, lineage."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from scoring_core.learning import lineage
from scoring_core.learning.boosting import Objective, fit, parameters
from scoring_core.learning.calibrate import calibrate, draw_pairs, words
from scoring_core.learning.datasets import Examples, Kept, describe_features, feature_table, load_examples
from scoring_core.learning.evaluate import compare, popularity
from scoring_core.learning.kept import kept_retrievers
from scoring_core.learning.pasts import past_states
from scoring_core.learning.quality import Quality, feedback_quality
from scoring_core.learning.stream import STREAM_ABOVE, Span, describe_stream, held_out_from, spans, spooled
from scoring_core.learning.unfolding import Unfolding
from scoring_core.live import Shelf
from scoring_core.scorers.gbdt import digest, disagreements, member_file, probe, scorer_of
from scoring_core.scorers.protocol import Floats
from scoring_core.shelf import build_shelf
from storage import catalogue, registry
from storage.database import Database
from storage.errors import Conflict, Full, Invalid, Unavailable
from storage.lake import Lake
from storage.records.clock import moment
from storage.records.document import document, parse
from storage.records.events import Origin
from storage.records.models import ModelVersion

HELD_OUT = 0.3
"""The last share of the impressions, by time, that no tree sees."""

MIN_CLICKS = 20
PROBE_ROWS = 4_096
PARITY_ROWS = 100_000
"""About how many held-out rows are scored by LightGBM too."""


@document
class Training:
    """What may be asked of a training; the name becomes a folder. ``stream``: whether features go by the disk; where it
    is not said, the size of the log decides."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    origins: Annotated[tuple[Origin, ...], Field(min_length=1)]
    members: Annotated[int, Field(ge=1, le=100)] = 10
    trees: Annotated[int, Field(ge=1, le=2_000)] = 20
    objective: Objective = "binary"
    stream: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a training starts from: examples of the past, of held-out time, and the shelf they speak of."""

    past: Examples
    held_out: Examples
    shelf: Shelf
    files: tuple[Mapping[str, Any], ...]
    quality: Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What was learned from the past, and what it is judged by: held-out examples, and each item's click rate."""

    features: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    texts: tuple[str, ...]
    rates: Floats
    held_out: Examples
    shelf: Shelf
    quality: Quality
    rows: int
    past: Mapping[str, Any]
    dropped: Mapping[str, int]
    kept: Kept = field(repr=False)


def prepare(database: Database, lake: Lake, *, now: int, origins: Sequence[str], end: int = 2**62) -> Prepared:
    """Read the lake, weigh each row by how far its subject's feedback is trusted, and split it by time."""
    with database.read() as read:
        shelf = build_shelf(catalogue.load(read))
    pasts = dict(past_states(database, lake, shelf=shelf, end=end))
    examples = load_examples(database, lake, shelf=shelf, now=now, origins=origins, end=end, pasts=pasts)
    quality = feedback_quality(database, lake, now=now, origins=origins)
    past, held_out = examples.trusted(quality.trust).split(HELD_OUT)
    files = tuple(lineage.files(database, origins))
    return Prepared(past=past, held_out=held_out, shelf=shelf, files=files, quality=quality)


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
    objective: Objective = "binary",
    stream: bool | None = None,
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
    ask = parse(Training, {**wanted, "objective": objective, "stream": stream})
    cut = () if stream is False else spans(database, lake, origins=origins)
    large = sum(span.slots for span in cut) > STREAM_ABOVE
    if cut and (large if stream is None else stream):
        learned = _by_the_disk(database, lake, home, now=now, ask=ask, cut=cut)
    else:
        learned = _in_memory(database, lake, home, now=now, ask=ask)
    draft = ModelVersion(
        name=name,
        version=number(now),
        created_at=now,
        path=f"models/{name}/{number(now)}",
        digest=digest(learned.texts),
        features=learned.features,
        categories=learned.categories,
        members=members,
        trees=trees,
        lineage={
            "files": lineage.files(database, origins),
            "origins": list(origins),
            "catalogue": learned.shelf.catalogue.version,
            "trained": learned.past,
            "held_out": lineage.period(len(learned.held_out), learned.held_out.clicks, learned.held_out.at),
            "dropped": dict(learned.dropped),
            "weights": lineage.WEIGHTS,
            "feedback": learned.quality.document(),
            "seed": seed,
            "parameters": parameters(objective, learned.rows, members=members),
            "code": lineage.code(),
        },
    )
    model = judged(draft, learned, seed=seed)
    _write_files(home, model, learned.texts)
    with database.write() as write:
        registry.register(write, model)
    return model


def number(now: int) -> str:
    """Return the version of a model made at a moment.

    >>> number(1_500_000)
    '19700101T000001.500000Z'
    """
    return f"{moment(now):%Y%m%dT%H%M%S}.{now % 1_000_000:06d}Z"


def _require_clicks(rows: int, clicks: int, origins: Sequence[str]) -> None:
    if clicks < MIN_CLICKS:
        raise Invalid(
            f"too little to learn from: {rows:,} impressions with {clicks} clicks of origin "
            f"{', '.join(origins)}; {MIN_CLICKS} clicks are the least. Import data or wait for traffic"
        )


def _fitting(ask: Training) -> dict[str, Any]:
    return {"members": ask.members, "trees": ask.trees, "seed": ask.seed, "objective": ask.objective}


def _in_memory(database: Database, lake: Lake, home: Path, *, now: int, ask: Training) -> Learned:
    prepared = prepare(database, lake, now=now, origins=ask.origins)
    past, shelf = prepared.past, prepared.shelf
    _require_clicks(len(past), past.clicks, ask.origins)
    features, categories = describe_features(past, shelf)
    kept = kept_retrievers(database, home, shelf)
    matrix = feature_table(past, features, categories=categories, shelf=shelf, kept=kept)
    return Learned(
        features=features,
        categories=categories,
        texts=fit(past, matrix, names=features, **_fitting(ask)),
        rates=popularity(past, len(shelf.catalogue.items)),
        held_out=prepared.held_out,
        shelf=shelf,
        quality=prepared.quality,
        rows=len(past),
        past=lineage.period(len(past), past.clicks, past.at),
        dropped=past.dropped,
        kept=kept,
    )


def _by_the_disk(
    database: Database, lake: Lake, home: Path, *, now: int, ask: Training, cut: Sequence[Span]
) -> Learned:
    with database.read() as read:
        shelf = build_shelf(catalogue.load(read))
    quality = feedback_quality(database, lake, now=now, origins=ask.origins)
    end = held_out_from(cut, HELD_OUT)
    features, categories = describe_stream(database, lake, shelf=shelf, origins=ask.origins, end=end)
    kept = kept_retrievers(database, home, shelf)
    pasts = Unfolding(database, lake, shelf=shelf)
    with spooled(
        database,
        lake,
        shelf=shelf,
        cut=cut,
        end=end,
        now=now,
        origins=ask.origins,
        features=features,
        categories=categories,
        trust=quality.trust,
        pasts=pasts,
        kept=kept,
    ) as past:
        _require_clicks(len(past), past.clicks, ask.origins)
        texts = fit(past, past.sequences(), names=features, **_fitting(ask))
    later = pasts.until(2**62)
    held_out = load_examples(database, lake, shelf=shelf, now=now, origins=ask.origins, start=end, pasts=later)
    between = [] if past.first is None or past.last is None else [past.first, past.last]
    return Learned(
        features=features,
        categories=categories,
        texts=texts,
        rates=past.popularity.rates(),
        held_out=held_out.trusted(quality.trust),
        shelf=shelf,
        quality=quality,
        rows=len(past),
        past={**lineage.period(len(past), past.clicks, between), "streamed": len(past.files)},
        dropped=past.dropped,
        kept=kept,
    )


def judged(draft: ModelVersion, learned: Learned, *, seed: int) -> ModelVersion:
    """Check the compiled trees bit by bit, evaluate on held-out time and calibrate.

    Raises
    ------
    Conflict
        If a compiled score differs from LightGBM's.
    """
    scorer = scorer_of(draft, learned.texts)
    rng = np.random.Generator(np.random.PCG64(seed))
    held_out = learned.held_out
    seen = feature_table(held_out, draft.features, categories=draft.categories, shelf=learned.shelf, kept=learned.kept)
    checked = seen[:: max(1, len(seen) // PARITY_ROWS)]
    wrong = disagreements(scorer, checked) + disagreements(scorer, probe(scorer.forest, PROBE_ROWS, rng))
    if wrong:
        raise Conflict(f"the compiled trees differ from LightGBM in {wrong} scores; the model is not registered")
    scores = scorer.score(seen)
    evaluation = compare(held_out, scores.values, learned.rates[held_out.ordinal], against="popularity")
    share = len(held_out) / max(1, len(held_out) + learned.rows)
    calibration = calibrate(draw_pairs(held_out, scores, rng), held_out_share=share, rng=rng)
    return replace(
        draft,
        evaluation={
            **evaluation.document(),
            "calibration": words(calibration),
            "parity": {"scores": (len(checked) + PROBE_ROWS) * draft.members, "differences": wrong},
        },
        calibration=calibration,
    )


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
