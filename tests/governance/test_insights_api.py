"""Experiments, creators and who comes back, over the API: what is hidden stays hidden, a creator sees one creator."""

from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from governance.checks.artifacts import keep
from storage import findings, ledger
from storage.database import Database
from storage.records.document import canonical
from storage.records.findings import Audit

from .conftest import NOW
from .served import People

WHY = "the numbers are needed for the board"
ARM = {"share": 0.5, "decisions": 9, "people": 7, "known": 7, "impressions": 30, "clicks": 4, "rate": 0.13}
READOUT = {
    "key": "holdout/men", "origin": "real", "title": "Campaign men against its holdout", "kind": "holdout",
    "hidden": "Results are hidden for 2 more days: an early look decides nothing.", "sentence": "", "advice": "wait",
    "arms": [{"arm": "treated", **ARM}, {"arm": "held_out", **ARM}], "comparisons": [{"metric": "clicks"}],
    "health": {"days": 5},
}  # fmt: skip
CREATORS = [
    {"creator": name, "rows": "live", "impressions": 900, "prefers": [{"kind": "segment", "value": "new"}]}
    for name in ("Ada & Söhne/Co", "Bo")
]


@pytest.fixture
def told(sqlite_database: Database) -> None:
    for kind, result in (
        ("experiments", {"experiments": [READOUT, {**READOUT, "key": "log/men", "hidden": ""}]}),
        ("insights", {"attribute": "maker", "creators": CREATORS, "cohorts": [{"weeks": 1}]}),
    ):
        with sqlite_database.write() as write:
            findings.save(
                write,
                Audit(
                    audit_id=f"{kind}-1", kind=kind, job_id="1", at=NOW, verdict="unknown",  # type: ignore[arg-type]  # of the two above
                    sentence="", population={}, result=result,
                ),
            )  # fmt: skip


def test_before_the_first_readout_there_is_nothing(people: People) -> None:
    mary = people("mary", "marketer")
    assert mary.get("/experiments").json() == {"at": None, "experiments": []}
    assert mary.get("/analytics/creators").json()["creators"] == []
    assert mary.get("/analytics/creators/Bo").status_code == 404


@pytest.mark.usefixtures("told")
def test_hidden_results_are_not_in_the_answer(people: People) -> None:
    mary = people("mary", "marketer")
    for path in ("/experiments", "/experiments/active", "/analytics/recommendation-effectiveness"):
        hidden, shown = mary.get(path).json()["experiments"]
        assert hidden["comparisons"] == [] and shown["comparisons"] != []
        assert all("clicks" not in arm and arm["people"] == 7 for arm in hidden["arms"])
        assert all(arm["clicks"] == 4 for arm in shown["arms"])


@pytest.mark.usefixtures("told")
def test_hidden_results_are_in_no_audit_file_or_bundle_either(
    people: People, sqlite_database: Database, home: Path
) -> None:
    dora = people("dora", "data_scientist")
    hidden, shown = dora.get("/audits/experiments-1").json()["result"]["experiments"]
    assert hidden["comparisons"] == [] and all("clicks" not in arm for arm in hidden["arms"])
    assert shown["comparisons"] != [] and all(arm["clicks"] == 4 for arm in shown["arms"])
    for number, hides in ((2, READOUT["hidden"]), (3, "")):
        result = {"experiments": [{**READOUT, "hidden": hides}]}
        files = keep(home, f"experiments-{number}", {"experiments.json": canonical(result)})
        with sqlite_database.write() as write:
            findings.save(
                write,
                Audit(
                    audit_id=f"experiments-{number}", kind="experiments", job_id="1", at=NOW, verdict="unknown",
                    sentence="", population={}, result=result, artifacts=files,
                ),
            )  # fmt: skip
    refused = dora.get("/audits/experiments-2/artifacts/experiments.json")
    assert refused.status_code == 403 and "revealed with a reason" in refused.json()["detail"]
    assert b"clicks" in dora.get("/audits/experiments-3/artifacts/experiments.json").content
    for number, files in ((2, {"audit.json"}), (3, {"audit.json", "artifacts/experiments.json"})):
        with ZipFile(BytesIO(dora.get(f"/audits/experiments-{number}/evidence").content)) as held:
            assert {name for name in held.namelist() if name.startswith("a")} == files
            assert (b'"rate"' in held.read("audit.json")) is (number == 3)


@pytest.mark.usefixtures("told")
def test_an_early_look_is_entered_before_it_is_had(people: People, sqlite_database: Database) -> None:
    dora, mary = people("dora", "data_scientist"), people("mary", "marketer")
    asked: dict[str, Any] = {"key": "holdout/men", "origin": "real", "reason": WHY}
    seen = dora.post("/experiments/reveal", json=asked)
    assert seen.json()["arms"][0]["clicks"] == 4
    with sqlite_database.read() as read:
        entry = ledger.entries(read, limit=1)[0]
    assert (entry.action, entry.actor, entry.object_key, entry.reason) == (
        "experiments.reveal",
        "dora",
        "holdout/men real",
        WHY,
    )
    assert mary.post("/experiments/reveal", json=asked).status_code == 403
    assert dora.post("/experiments/reveal", json={**asked, "reason": "why"}).status_code == 422
    assert dora.post("/experiments/reveal", json={**asked, "key": "holdout/x"}).status_code == 404
    assert dora.post("/experiments/reveal", json={**asked, "origin": "all"}).status_code == 422


@pytest.mark.usefixtures("told")
def test_a_creator_sees_their_own_audience_and_nothing_else(people: People) -> None:
    ada = people("Ada & Söhne/Co", "creator")
    own = ada.get("/analytics/creators/own").json()
    assert (own["creator"], [one["creator"] for one in own["rows"]]) == ("Ada & Söhne/Co", ["Ada & Söhne/Co"])
    for path in ("/analytics/creators", "/analytics/creators/Bo", "/experiments", "/benchmarks", "/segments"):
        assert ada.get(path).status_code == 403, path
    assert people("nobody", "creator").get("/analytics/creators/own").status_code == 404
    mary = people("mary", "marketer")
    assert mary.get("/analytics/creators/own").status_code == 403
    assert [one["creator"] for one in mary.get("/analytics/creators").json()["creators"]] == ["Ada & Söhne/Co", "Bo"]
    assert mary.get("/analytics/creators/Bo").json()["rows"][0]["prefers"]
    assert mary.get("/analytics/creators/Ada%20%26%20S%C3%B6hne%2FCo").json()["creator"] == "Ada & Söhne/Co"
    assert mary.get("/analytics/retention").json()["cohorts"] == [{"weeks": 1}]


def test_how_much_is_enough(people: People) -> None:
    mary = people("mary", "marketer")
    asked = {"rate": 0.02, "change": 0.2}
    assert mary.get("/experiments/sample-size", params=asked).json()["per_arm"] == 21106
    assert mary.get("/experiments/sample-size", params={"rate": 0.6, "change": 0.8}).status_code == 422
    assert mary.get("/experiments/sample-size", params={"rate": 0.6, "change": 0}).status_code == 422
    assert mary.get("/experiments/sample-size", params={"rate": 2}).status_code == 422
