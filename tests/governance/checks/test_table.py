"""The audit of a table of one's own: Fairlearn's values, a verdict, refusals that say what to mend."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from governance.checks.clusters import inflation
from governance.checks.table import Asked, audit_table
from storage.errors import Invalid, NotFound
from storage.own_table import own_table

from .test_points import shared


def people(rows: int, *, lowered: float = 1.0, seed: int = 1, **more) -> pa.Table:
    rng = np.random.default_rng(seed)
    sex, race = rng.choice(["f", "m"], rows), rng.choice(["x", "y", "z"], rows)
    label = rng.random(rows) < 0.3
    chance = np.where(label, 0.6, 0.2) * np.where(sex == "f", lowered, 1.0)
    prediction = rng.random(rows) < chance
    return pa.table({"sex": sex, "race": race, "y": label.astype(int), "p": prediction.astype(int), **more})


ASKED = Asked(prediction="p", label="y", by=("sex", "race"))


def test_groups_are_fairlearns_and_the_gaps_too():
    from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
    from sklearn.metrics import accuracy_score

    table = people(3_000, lowered=0.7)
    found = audit_table(table, ASKED)
    rows = table.to_pandas()
    frame = MetricFrame(
        metrics={
            "selection_rate": selection_rate,
            "tpr": true_positive_rate,
            "fpr": false_positive_rate,
            "accuracy": accuracy_score,
        },
        y_true=rows["y"],
        y_pred=rows["p"],
        sensitive_features=rows[["sex", "race"]],
    )
    assert len(found["groups"]) == 6
    for group in found["groups"]:
        key = (group["by"]["sex"], group["by"]["race"])
        assert group["n"] == int(((rows["sex"] == key[0]) & (rows["race"] == key[1])).sum())
        for name in ("selection_rate", "tpr", "fpr", "accuracy"):
            assert group[name] == pytest.approx(frame.by_group[name][key], abs=1e-9)
            low, high = group["interval"][name]
            assert low <= group[name] <= high
    for name in ("selection_rate", "tpr", "fpr", "accuracy"):
        assert found["difference"][name] == pytest.approx(frame.difference()[name], abs=1e-9)
        assert found["ratio"][name] == pytest.approx(frame.ratio()[name], abs=1e-9)
    assert [each["grouping"] for each in found["attributes"]] == [["sex"], ["race"]]


def test_a_disparity_is_shown_and_equal_groups_are_not():
    assert audit_table(people(20_000, lowered=0.6), ASKED)["verdict"] == "shown"
    fair = audit_table(people(20_000), Asked(prediction="p", label="y", by=("sex",)))
    assert (fair["verdict"], fair["needed_n"]) == ("not_shown", None)
    assert fair["power"]["n"] <= 20_000


def test_too_little_is_inconclusive_and_the_size_it_names_is_enough():
    small = audit_table(people(400), Asked(prediction="p", label="y", by=("sex",)))
    assert small["verdict"] == "inconclusive"
    assert "more rows needed" in small["sentence"]
    assert small["needed_n"] > 400
    found = [
        audit_table(people(small["needed_n"], lowered=0.7, seed=seed), Asked(prediction="p", label="y", by=("sex",)))
        for seed in range(10)
    ]
    assert sum(each["verdict"] == "shown" for each in found) >= 8


def test_without_a_label_the_selection_rate_is_all_there_is():
    found = audit_table(people(2_000), Asked(prediction="p", by=("sex",)))
    assert set(found["metrics"]) == {"selection_rate"}
    assert set(found["groups"][0]["interval"]) == {"selection_rate"}
    assert "tpr" not in found["groups"][0]


def test_a_control_feature_takes_its_part_out():
    rng = np.random.default_rng(3)
    rows = 20_000
    branch = rng.random(rows) < 0.5
    sex = np.where(rng.random(rows) < np.where(branch, 0.9, 0.1), "f", "m")
    p = rng.random(rows) < np.where(branch, 0.1, 0.4)
    table = pa.table({"sex": sex, "branch": np.where(branch, "a", "b"), "p": p.astype(int)})
    assert audit_table(table, Asked(prediction="p", by=("sex",)))["verdict"] == "shown"
    assert audit_table(table, Asked(prediction="p", by=("sex",), control="branch"))["verdict"] == "not_shown"


def test_chances_are_cut_and_held_to_what_came_true():
    rng = np.random.default_rng(4)
    rows = 30_000
    sex, chance = rng.choice(["f", "m"], rows), rng.random(rows)
    y = rng.random(rows) < chance * np.where(sex == "f", 0.5, 1.0)
    table = pa.table({"sex": sex, "y": y.astype(int), "p": chance})
    found = audit_table(table, Asked(prediction="p", label="y", by=("sex",), threshold=0.7))
    assert found["positive"] == {"y": "1", "p": "≥ 0.7"}
    assert found["groups"][0]["selection_rate"] == pytest.approx(0.3, abs=0.02)
    assert found["metrics"]["calibration"]["verdict"] == "shown"
    assert found["metrics"]["calibration"]["named"] == ["f"]
    assert found["metrics"]["selection_rate"]["verdict"] == "not_shown"


def test_nobody_who_should_be_selected_is_no_rate_with_an_interval():
    table = pa.table({"g": ["a"] * 200 + ["b"] * 200, "y": [0] * 200 + [1, 0] * 100, "p": [1, 0] * 200})
    found = audit_table(table, Asked(prediction="p", label="y", by=("g",)))
    first = found["groups"][0]
    assert first["of"]["tpr"] == 0
    assert first["interval"]["tpr"] is None
    assert found["metrics"]["tpr"]["verdict"] == "inconclusive"


def test_rows_that_do_not_say_are_counted_and_left_out():
    table = pa.table({"g": ["a", None, "b"] * 200, "y": [1, 0, None] * 200, "p": [1, 0, 1] * 200})
    found = audit_table(table, Asked(prediction="p", label="y", by=("g",)))
    assert found["coverage"] == {"g": {"known": 400, "unknown": 200}}
    assert found["answered"] == 400
    assert {group["by"]["g"]: group["n"] for group in found["groups"]} == {"a": 200, "b": 0}
    assert found["groups"][1]["selection_rate"] is None


@pytest.mark.parametrize(
    ("column", "asked", "said"),
    [
        (["yes", "no", "maybe"] * 10, {}, "--positive"),
        ([3, 4, 5] * 10, {}, "yes and no"),
        ([None] * 30, {}, "holds no value"),
        (["yes", "no", "no"] * 10, {"positive": "never"}, "--positive"),
        ([0, 1, 1] * 10, {"positive": "ja"}, "--positive"),
    ],
)
def test_a_column_that_answers_nothing_is_refused(column, asked, said):
    table = pa.table({"g": ["a", "b", "c"] * 10, "p": pa.array(column)})
    with pytest.raises(Invalid, match=said):
        audit_table(table, Asked(prediction="p", by=("g",), **asked))


def test_words_and_numbers_mean_what_fairlearn_takes_them_for():
    table = pa.table({"age": np.arange(2_000) % 70, "p": ["<=50K", ">50K"] * 1_000, "b": [True, False] * 1_000})
    found = audit_table(table, Asked(prediction="p", by=("age",)))
    assert found["positive"] == {"p": ">50K"}
    assert [group["by"]["age"] for group in found["groups"]] == ["≤ 17", "17 – 34", "34 – 52", "> 52"]
    assert audit_table(table, Asked(prediction="b", by=("age",)))["positive"] == {"b": "1"}
    assert audit_table(table, Asked(prediction="p", by=("age",), positive="<=50K"))["positive"] == {"p": "<=50K"}


def test_a_file_is_read_or_refused_with_its_remedy(tmp_path):
    table = people(50)
    pq.write_table(table, tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_text("sex,p\nf,1\nm,0\n,1\n")
    assert own_table(tmp_path / "t.parquet", ("sex", "p")).column_names == ["sex", "p"]
    assert own_table(tmp_path / "t.csv", ("p", "sex"))["sex"].to_pylist() == ["f", "m", None]
    with pytest.raises(Invalid, match="lacks a column: age"):
        own_table(tmp_path / "t.csv", ("age",))
    with pytest.raises(NotFound):
        own_table(tmp_path / "none.csv", ("p",))
    (tmp_path / "bad.parquet").write_bytes(b"nothing")
    with pytest.raises(Invalid, match="PARQUET"):
        own_table(tmp_path / "bad.parquet", ("p",))


def test_adult_by_sex_and_race_end_to_end(tmp_path):
    """A plain classifier of the census, audited on the half that it did not learn from."""
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    rows = pq.read_table(shared("fairness/adult_48842.parquet")).to_pandas()
    numbers = ["age", "education-num", "capital-gain", "capital-loss", "hours-per-week"]
    features = pd.concat([rows[numbers], pd.get_dummies(rows[["relationship", "occupation"]])], axis=1).astype(float)
    features = (features - features.mean()) / features.std()
    income = rows["class"] == ">50K"
    model = LogisticRegression(max_iter=200).fit(features[::2], income[::2])
    held = rows[1::2].assign(says=model.predict(features[1::2]).astype(int))
    held[["sex", "race", "class", "says"]].to_csv(tmp_path / "adult.csv", index=False)
    asked = Asked(prediction="says", label="class", by=("sex", "race"))
    found = audit_table(own_table(tmp_path / "adult.csv", asked.columns), asked)
    assert found["rows"] == 24_421
    assert (len(found["groups"]), sum(group["n"] for group in found["groups"])) == (10, 24_421)
    assert found["positive"]["class"] == ">50K"
    assert found["verdict"] == "shown"
    by_sex = found["attributes"][0]
    women = next(group for group in by_sex["groups"] if group["by"] == {"sex": "Female"})
    mine = held["sex"] == "Female"
    assert women["selection_rate"] == pytest.approx(held["says"][mine].mean(), abs=1e-9)
    assert women["tpr"] == pytest.approx(held["says"][mine & (held["class"] == ">50K")].mean(), abs=1e-9)
    assert by_sex["metrics"]["selection_rate"]["named"] == ["Female"]
    assert women["ratio_to_others"]["selection_rate"] < 0.5


def test_owners_inflate_only_what_they_repeat():
    rng = np.random.default_rng(0)
    owners = np.repeat(np.arange(2_000), 5)
    own = np.repeat(rng.random(2_000) < 0.3, 5).astype(float)
    loose = (rng.random(10_000) < 0.3).astype(float)
    groups = np.repeat(np.arange(2), 5_000)
    assert inflation(groups, owners, own, 2) == pytest.approx([5.0, 5.0], rel=0.01)
    assert inflation(groups, owners, loose, 2) == pytest.approx([1.0, 1.0], abs=0.15)
    assert inflation(groups, np.full(10_000, -1), own, 2) == pytest.approx([1.0, 1.0], abs=0.01)
