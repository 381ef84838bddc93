"""The commands of fairness: a table of one's own, plans, and what is kept for audits alone."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fairlead.conftest import Run

ACT = ("--yes", "--reason", "because the test says so", "--json")


@pytest.fixture
def audit(fairlead: Run) -> Run:
    return partial(fairlead, "audit")


@pytest.fixture
def run(audit: Run, served: str) -> Run:
    return audit


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    sex, race, y = rng.choice(["f", "m"], 4_000), rng.choice(["x", "y"], 4_000), rng.random(4_000) < 0.3
    p = rng.random(4_000) < np.where(sex == "f", 0.2, 0.4)
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"sex": sex, "race": race, "y": y.astype(int), "p": p.astype(int)}), path)
    return path


def test_a_table_of_ones_own_is_audited_by_its_contract(audit: Run, table: Path) -> None:
    asked = ("fairness", "--data", str(table), "--label", "y", "--prediction", "p", "--by", "sex,race")
    code, found, _ = audit(*asked, "--json")
    assert code == 0
    assert {"groups", "difference", "ratio", "verdict", "needed_n"} <= found.keys()
    assert found["verdict"] == "shown"
    for group in found["groups"]:
        assert {"by", "n", "selection_rate", "tpr", "fpr", "accuracy", "interval"} <= group.keys()
        assert group["by"].keys() == {"sex", "race"}
    assert {"selection_rate", "tpr", "fpr", "accuracy"} <= found["difference"].keys() & found["ratio"].keys()
    code, words, talk = audit(*asked)
    assert code == 0
    assert "selection rate" in words
    assert "Disparity shown in selection rate by sex" in talk


def test_what_a_table_lacks_is_told_with_its_remedy(audit: Run, table: Path) -> None:
    code, _, talk = audit("fairness", "--data", str(table), "--prediction", "p", "--by", "age")
    assert (code, "lacks a column: age" in talk) == (2, True)
    code, _, talk = audit("fairness", "--data", str(table), "--by", "sex")
    assert (code, "--prediction" in talk) == (2, True)
    code, _, talk = audit("fairness", "--label", "y")
    assert (code, "--data" in talk) == (2, True)
    code, _, _ = audit("fairness", "--data", str(table.with_name("none.csv")), "--prediction", "p", "--by", "sex")
    assert code == 3


def test_a_plan_from_its_making_to_its_end(run: Run, tmp_path: Path) -> None:
    plan = {"key": "weekly", "every_hours": 168, "order": {"attributes": ["age"], "days": 28}}
    source = tmp_path / "plan.json"
    source.write_text(json.dumps(plan))
    code, made, _ = run("plan", "create", str(source), *ACT)
    assert (code, made["kind"]) == (0, "fairness_plan.create")
    code, listed, _ = run("plan", "list", "--json")
    assert [view["plan"]["key"] for view in listed] == ["weekly"]
    source.write_text(json.dumps({**plan, "every_hours": 24}))
    assert run("plan", "edit", "weekly", str(source), *ACT)[0] == 0
    code, shown, _ = run("plan", "show", "weekly", "--json")
    assert (shown["plan"]["every_hours"], shown["previous"]["every_hours"]) == (24, 168)
    assert run("plan", "delete", "weekly", *ACT)[0] == 0
    assert run("plan", "show", "weekly")[0] == 3


def test_sensitive_attributes_come_from_a_file_and_go_by_name(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "said.csv"
    file.write_text("subject,gender,origin\nanna,woman,north\nbert,man,\n")
    code, kept, talk = run("sensitive", "--data", str(file), "--source", "survey", *ACT)
    assert (code, "3 statements" in talk) == (0, True)
    assert {one["attribute"]: one["people"] for one in kept} == {"gender": 2, "origin": 1}
    code, gone, _ = run("sensitive", "--drop", "gender", *ACT)
    assert (code, gone["people"]) == (0, 2)
    code, kept, _ = run("sensitive", "--json")
    assert [one["attribute"] for one in kept] == ["origin"]
    file.write_text("subject,gender\n,woman\n")
    code, _, talk = run("sensitive", "--data", str(file), *ACT)
    assert (code, "row 1" in talk) == (2, True)
