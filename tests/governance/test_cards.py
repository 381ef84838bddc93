"""Cards: written by people, completed with facts, kept per version, owed before a version leaves draft."""

from typing import Any

import pytest

from governance.control import Control
from storage import cards, findings, registry
from storage.database import Database
from storage.errors import Invalid, NotFound
from storage.records.findings import Audit
from storage.records.models import ModelVersion

from .conftest import NOW, REASON, warrant
from .served import People, Person

CARD = {
    "intended_use": "Ranks what is in season on the home page.",
    "limits": "Knows nothing of people who never came back.",
    "owner": "Kim of the shop",
}


def drafted(control: Control, **document: Any) -> int:
    made = control.do("policy.draft", "home", {"document": {"surface": "home", **document}}, warrant())
    return int(made.after["version"])


def test_no_version_leaves_draft_without_its_card(control: Control, solo: Control) -> None:
    version = drafted(solo)
    rollout = {"version": version, "percent": 5.0}
    with pytest.raises(Invalid, match="card does not say intended_use, limits, owner"):
        solo.do("policy.rollout", "home", rollout, warrant(confirm="home"))
    with pytest.raises(Invalid, match="card"):
        control.propose("policy.rollout", "home", {"version": version, "steps": [1.0, 100.0]}, warrant())
    solo.do("policy.card", "home", {"version": str(version), "card": {**CARD, "limits": "none"}}, warrant())
    with pytest.raises(Invalid, match="say limits"):
        solo.do("policy.rollout", "home", rollout, warrant(confirm="home"))
    solo.do("policy.card", "home", {"version": str(version), "card": CARD}, warrant())
    assert solo.do("policy.rollout", "home", rollout, warrant(confirm="home")).after["rollout"]["version"] == version


def test_a_card_tells_what_differs_and_what_was_not_measured(people: People, control: Control) -> None:
    version = drafted(control, exploration={"epsilon": 0.2})
    mary = people("mary", "marketer")
    route = f"/policies/home/versions/{version}/card"
    before = mary.get(route).json()
    assert before["card"] is None and before["missing"] == ["intended_use", "limits", "owner"]
    assert before["facts"]["audits"] == dict.fromkeys(("fairness", "drift", "offpolicy", "whatif"), "not measured")
    assert before["facts"]["differs_from_stable"] == ["The share of slots given to exploration goes from 0.05 to 0.2"]
    assert mary.put(route, json={"card": CARD, "reason": REASON}).status_code == 200
    after = mary.get(route).json()
    assert (after["card"]["owner"], after["missing"], after["written_by"]) == ("Kim of the shop", [], "mary")
    assert "Ranks what is in season" in after["markdown"] and "epsilon" not in after["markdown"].splitlines()[0]
    assert mary.put(route, json={"card": CARD, "reason": REASON}, headers={"if-match": '"old"'}).status_code == 412
    refused = mary.put(route, json={"card": {**CARD, "surprise": 1}, "reason": REASON})
    assert refused.status_code == 422
    assert mary.get("/policies/home/versions/99/card").status_code == 404


def test_the_facts_are_kept_as_they_were_when_it_went_out(solo: Control, sqlite_database: Database) -> None:
    version = drafted(solo)
    solo.do("policy.card", "home", {"version": str(version), "card": CARD}, warrant())
    with sqlite_database.write() as write:
        audit = Audit(
            audit_id="a-1",
            kind="fairness",
            job_id="",
            at=NOW,
            verdict="warn",
            sentence="Look.",
            population={},
            result={},
        )
        findings.save(write, audit)
    solo.do("policy.rollout", "home", {"version": version, "percent": 5.0}, warrant(confirm="home"))
    with sqlite_database.read() as read:
        stored = cards.find(read, "policy", "home", str(version))
    assert stored is not None and stored.facts["audits"]["fairness"]["verdict"] == "warn"


def test_markup_in_a_card_stays_text(people: People, control: Control) -> None:
    version = drafted(control)
    route = f"/policies/home/versions/{version}/card"
    evil = {**CARD, "intended_use": "# Heading\n<script>alert(1)</script> ![x](https://e.vil/x.png)"}
    anna: Person = people("anna")
    anna.put(route, json={"card": evil, "reason": REASON})
    text = anna.get(route).json()["markdown"]
    assert all(line.startswith("    ") for line in text.splitlines() if "script" in line or "Heading" in line)


def test_a_model_in_service_has_a_card_and_hands_its_words_on(solo: Control, sqlite_database: Database) -> None:
    with sqlite_database.write() as write:
        for version in ("1", "2"):
            evaluation = {"ndcg": 0.5 + int(version) / 10}
            registry.register(
                write,
                ModelVersion(
                    name="ranker", version=version, created_at=NOW, path="p", digest="d", evaluation=evaluation,
                    lineage={"trained": {"rows": 900}},
                ),
            )  # fmt: skip
    solo.do("model.promote", "ranker", {"version": "1"}, warrant(confirm="ranker"))
    solo.do("model.card", "ranker", {"version": "1", "card": CARD}, warrant("kim"))
    solo.do("model.promote", "ranker", {"version": "2"}, warrant(confirm="ranker"))
    with sqlite_database.read() as read:
        stored = cards.find(read, "model", "ranker", "2")
    assert stored is not None and (stored.card.owner, stored.written_by) == ("Kim of the shop", "kim")
    assert stored.facts["evaluation"] == {"ndcg": 0.7} and stored.facts["trained_on"] == {"rows": 900}
    with pytest.raises(NotFound):
        solo.do("model.card", "ranker", {"version": "9", "card": CARD}, warrant())
