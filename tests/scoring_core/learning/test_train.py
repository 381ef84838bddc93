"""Training from the lake: what is learned, what is said of it, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from scoring_core.explain import attribute
from scoring_core.learning.datasets import describe_features, feature_table, load_examples
from scoring_core.learning.promote import promote
from scoring_core.learning.train import prepare, train
from scoring_core.scorers.gbdt import load
from scoring_core.shelf import build_shelf
from storage import catalogue, registry
from storage.database import Database
from storage.errors import Conflict, Invalid, NotFound, Unavailable
from storage.records.clock import DAY, HOUR, SECOND
from tests.worlds import START, World, fill, lake_at, moments, taste

NOW = START + 30 * DAY


@pytest.fixture
def lake(home: Path):
    return lake_at(home)


def few(**changes) -> World:
    """Four impressions: late click, double click, early click, none."""
    values = {
        "item": np.array([0, 1, 2, 3]),
        "clicked": np.zeros(4, dtype=bool),
        "position": np.ones(4, dtype=int),
        "contexts": [{"user_feature_0": "a"}] * 4,
        "propensity": np.full(4, 0.25),
        "at": moments(4),
    } | changes
    return World(**values)


@pytest.fixture
def trained(sqlite_database, lake, home):
    fill(sqlite_database, lake, taste(9_000, 3))
    return train(sqlite_database, lake, home, now=NOW, seed=7, members=4, trees=10)


def test_a_model_that_knows_the_truth_beats_popularity_and_says_so(trained):
    assert trained.evaluation["verdict"] == "better"
    assert trained.evaluation["difference_low"] > 0
    assert trained.evaluation["sentence"].startswith("Better than popularity on held-out time")
    assert trained.evaluation["parity"]["scores"] > 0


def test_lineage_names_files_rows_seed_and_code(trained, sqlite_database):
    lineage = trained.lineage
    assert {file["path"].split("/")[0] for file in lineage["files"]} == {"decisions", "events"}
    assert all(len(file["sha256"]) == 64 for file in lineage["files"])
    assert lineage["trained"]["rows"] + lineage["held_out"]["rows"] == 9_000
    assert lineage["trained"]["to"] < lineage["held_out"]["from"]
    assert lineage["seed"] == 7
    assert len(lineage["code"]["source"]) == 64
    with sqlite_database.read() as read:
        assert registry.models(read) == [trained]


def test_same_seed_gives_the_same_trees_another_seed_does_not(trained, sqlite_database, lake, home):
    again = train(sqlite_database, lake, home, now=NOW + 1, seed=7, members=4, trees=10)
    other = train(sqlite_database, lake, home, now=NOW + 2, seed=8, members=4, trees=10)
    assert again.digest == trained.digest != other.digest


def test_a_version_is_never_written_twice(trained, sqlite_database, lake, home):
    with pytest.raises(Conflict, match="immutable"):
        train(sqlite_database, lake, home, now=NOW, seed=7, members=2, trees=2)


def test_few_clicks_leave_it_uncalibrated_with_the_outcomes_missing(trained):
    calibration = trained.calibration
    assert calibration.status == "uncalibrated"
    assert trained.evaluation["calibration"].startswith("Uncalibrated: held-out time has ")
    assert calibration.x == ()
    assert calibration.clicked_impressions < 1_000
    assert calibration.outcomes_missing == -(-(1_000 - calibration.clicked_impressions) // 0.3)


def test_serving_builds_the_rows_that_training_saw(trained, sqlite_database, lake):
    prepared = prepare(sqlite_database, lake, now=NOW, origins=("imported",))
    held_out = prepared.held_out
    table = feature_table(held_out, trained.features, categories=trained.categories, shelf=prepared.shelf)
    place = trained.features.index("context.user_feature_0")
    coded = [held_out.contexts[int(known)]["user_feature_0"] for known in held_out.inputs]
    assert [trained.categories["context.user_feature_0"][int(code)] for code in table[:, place]] == coded
    appeal = table[:, trained.features.index("item.appeal")]
    np.testing.assert_array_equal(appeal, held_out.ordinal / 12)


def test_attributions_sum_to_the_score(trained, home):
    scorer = load(trained, home).scorer
    table = np.random.default_rng(0).integers(-1, 5, (50, len(trained.features))).astype(float)
    table[table < 0] = np.nan
    found = attribute(scorer, table)
    np.testing.assert_allclose(
        found.base + found.contributions.sum(axis=1), scorer.score(table).values, rtol=0, atol=1e-12
    )


def test_a_changed_file_or_a_missing_one_is_not_loaded(trained, home):
    file = home / trained.path / "member-00.txt"
    text = file.read_text()
    value = text.split("leaf_value=")[1].split(" ")[0]
    file.write_text(text.replace(value, value[:-1] + ("1" if value[-1] != "1" else "2"), 1))
    with pytest.raises(Unavailable, match="not those that were registered"):
        load(trained, home)
    file.unlink()
    with pytest.raises(Unavailable, match="missing"):
        load(trained, home)


def test_the_first_model_goes_into_service_a_worse_one_does_not(trained, sqlite_database, lake, home):
    assert promote(sqlite_database, lake, home, model=trained).promoted
    worse = train(sqlite_database, lake, home, now=NOW + SECOND, seed=7, members=1, trees=1)
    verdict = promote(sqlite_database, lake, home, model=worse)
    assert not verdict.promoted
    assert verdict.difference < 0
    assert verdict.reason.startswith("kept out")
    better = train(sqlite_database, lake, home, now=NOW + 2 * SECOND, seed=7, members=4, trees=10)
    assert promote(sqlite_database, lake, home, model=better).promoted
    with sqlite_database.read() as read:
        assert registry.in_service(read)["ranker"].version == better.version


def test_what_cannot_be_compared_stays_out(trained, sqlite_database, lake, home):
    promote(sqlite_database, lake, home, model=trained)
    later = train(sqlite_database, lake, home, now=NOW + SECOND, seed=8, members=2, trees=5)
    (home / trained.path / "member-00.txt").unlink()
    verdict = promote(sqlite_database, lake, home, model=later)
    assert not verdict.promoted
    assert "cannot be compared" in verdict.reason


def test_an_unregistered_model_is_not_promoted(trained, sqlite_database, lake, home):
    values = {name: getattr(trained, name) for name in trained.__dataclass_fields__}
    with pytest.raises(NotFound):
        promote(sqlite_database, lake, home, model=type(trained)(**{**values, "name": "other"}))


def test_an_empty_lake_is_refused_in_plain_words(sqlite_database, lake, home):
    with pytest.raises(Invalid, match="too little to learn from: 0 impressions"):
        train(sqlite_database, lake, home, now=NOW, seed=1)
    assert not (home / "models").exists()


@pytest.mark.parametrize(
    "wrong",
    [{"name": "../../etc"}, {"members": 0}, {"trees": "many"}, {"seed": -1}, {"origins": ()}, {"origins": ("dreamt",)}],
)
def test_arguments_that_make_no_sense_are_refused(sqlite_database, lake, home, wrong):
    with pytest.raises(Invalid, match=next(iter(wrong))):
        train(sqlite_database, lake, home, now=NOW, **{"seed": 1, **wrong})


def test_a_home_that_cannot_be_written_leaves_nothing_behind(trained, sqlite_database, lake, tmp_path):
    home = tmp_path / "blocked"
    home.write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="cannot be written"):
        train(sqlite_database, lake, home, now=NOW + SECOND, seed=7, members=1, trees=1)
    with sqlite_database.read() as read:
        assert registry.models(read) == [trained]


def shelf_of(database: Database):
    with database.read() as read:
        return build_shelf(catalogue.load(read))


def test_weights_are_inverse_propensities_clipped(sqlite_database, lake):
    fill(sqlite_database, lake, few(propensity=np.array([0.5, 1e-6, 0.0, 0.25])))
    found = load_examples(sqlite_database, lake, shelf=shelf_of(sqlite_database), now=NOW, origins=("imported",))
    assert found.weight.tolist() == [2.0, 100.0, 4.0]
    assert found.dropped["no propensity"] == 1


def test_other_origins_stay_out_and_open_windows_wait(sqlite_database, lake):
    fill(sqlite_database, lake, few())
    fill(sqlite_database, lake, few(clicked=np.ones(4, dtype=bool)), origin="live", log="live")
    shelf, last = shelf_of(sqlite_database), int(moments(4)[-1])
    imported = load_examples(sqlite_database, lake, shelf=shelf, now=NOW, origins=("imported",))
    assert (len(imported), imported.clicks) == (4, 0)
    early = load_examples(sqlite_database, lake, shelf=shelf, now=last + 24 * HOUR, origins=("live",))
    settled = load_examples(sqlite_database, lake, shelf=shelf, now=last + 25 * HOUR, origins=("live",))
    assert (len(early), len(settled), settled.clicks) == (3, 4, 4)


def test_features_are_named_from_what_was_seen(sqlite_database, lake):
    fill(sqlite_database, lake, taste(50, 1))
    shelf = shelf_of(sqlite_database)
    found = load_examples(sqlite_database, lake, shelf=shelf, now=NOW, origins=("imported",))
    features, categories = describe_features(found, shelf)
    assert features == ("context.user_feature_0", "context.user_feature_1", "item.appeal", "item.kind")
    assert categories["item.kind"] == ("k0", "k1", "k2", "k3")
    assert "item.appeal" not in categories
