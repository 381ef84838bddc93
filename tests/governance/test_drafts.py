"""Drafts over the control API: everyone's own, and nothing follows from them."""

from storage.database import Database

from .entry_counter import Counter
from .served import People


def test_a_draft_is_its_writers_alone_and_no_control_state(people: People, sqlite_database: Database) -> None:
    anna, bert = people("anna", "marketer"), people("bert", "marketer")
    counter = Counter(sqlite_database)
    entries, state = counter.entries(), counter.state()
    kept = anna.put("/drafts/rule-new", json={"values": {"-name": "Lift"}})
    assert kept.status_code == 200 and kept.json()["values"] == {"-name": "Lift"}
    assert anna.get("/drafts/rule-new").json()["draft"] == kept.json()
    assert bert.get("/drafts/rule-new").json()["draft"] is None and bert.get("/drafts").json()["drafts"] == []
    assert bert.delete("/drafts/rule-new").is_success
    assert [one["form"] for one in anna.get("/drafts").json()["drafts"]] == ["rule-new"]
    assert (counter.entries(), counter.state()) == (entries, state)
    assert anna.delete("/drafts/rule-new").is_success and anna.get("/drafts/rule-new").json()["draft"] is None


def test_a_name_that_no_form_has_is_refused(people: People) -> None:
    anna = people("anna", "marketer")
    assert anna.put("/drafts/..%2Fx", json={"values": {}}).status_code in {404, 422}
    assert anna.put("/drafts/a b", json={"values": {}}).status_code == 422
    assert anna.put("/drafts/x", json={"values": {"big": "x" * 40_000}}).status_code == 422
