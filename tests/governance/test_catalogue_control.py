"""The catalogue through control: syncs are declared by those who may, items put in name what is wrong with them."""

from typing import Any

import pytest

from storage import catalogue, past_items, revisions
from storage.database import Database

from .conftest import REASON
from .served import People

WHY = {"reason": REASON}
SYNC: dict[str, Any] = {"source": "file", "location": "items.csv"}


def test_a_sync_is_declared_edited_under_its_tag_and_removed(people: People) -> None:
    anna = people("anna")
    made = anna.post("/catalogue/syncs", json={"name": "shop", "sync": SYNC, **WHY})
    assert made.status_code == 201
    assert anna.post("/catalogue/syncs", json={"name": "shop", "sync": SYNC, **WHY}).status_code == 409
    slower = {"sync": {**SYNC, "every_s": 600}, **WHY}
    assert anna.put("/catalogue/syncs/shop", json=slower).status_code == 422
    assert anna.put("/catalogue/syncs/shop", json=slower, headers={"if-match": "old"}).status_code == 412
    assert anna.put("/catalogue/syncs/shop", json=slower, headers={"if-match": made.headers["etag"]}).is_success
    (shown,) = anna.get("/catalogue/syncs").json()["syncs"]
    assert (shown["name"], shown["sync"]["every_s"], shown["latest"]) == ("shop", 600, None)
    assert anna.post("/catalogue/syncs/shop/remove", json=WHY).is_success
    assert anna.get("/catalogue/syncs/shop").status_code == 404
    assert anna.post("/catalogue/syncs/shop/remove", json=WHY).status_code == 404


@pytest.mark.parametrize(
    ("name", "sync", "field"),
    [
        ("Shop 1", SYNC, "name"),
        ("shop", {**SYNC, "every_s": 1}, "sync.every_s"),
        ("shop", {**SYNC, "unknown": 1}, "sync.unknown"),
        ("shop", {**SYNC, "source": "http"}, "sync.location"),
        ("shop", {"source": "http", "location": "https://a:hunter2@shop.example/x"}, "sync.location"),
        (
            "shop",
            {"source": "http", "location": "https://shop.example/x", "headers": {"Authorization": "hunter2"}},
            "sync.headers",
        ),
        ("shop", {"source": "sql", "location": "sqlite:///x.db"}, "sync.query"),
        ("shop", {**SYNC, "mapping": {"item_id": ""}}, "sync.mapping.item_id"),
    ],
)
def test_a_wrong_sync_names_its_field_and_echoes_no_secret(
    people: People, name: str, sync: dict[str, Any], field: str
) -> None:
    answer = people("anna").post("/catalogue/syncs", json={"name": name, "sync": sync, **WHY})
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["problems"]] == [field]
    assert "hunter2" not in answer.text


def test_who_may_not_changes_no_sync_but_a_marketer_may_put_items(people: People) -> None:
    mary = people("mary", "marketer")
    assert mary.post("/catalogue/syncs", json={"name": "shop", "sync": SYNC, **WHY}).status_code == 403
    assert mary.post("/catalogue/items", json={"items": [{"item_id": "a"}], **WHY}).is_success
    dora = people("dora", "data_scientist")
    assert dora.post("/catalogue/items", json={"items": [{"item_id": "a"}], **WHY}).status_code == 403


def test_items_are_put_in_all_or_none_and_publish_no_revision(people: People, sqlite_database: Database) -> None:
    anna = people("anna")
    before = anna.get("/revisions/current").json()["revision"]
    wrong = anna.post("/catalogue/items", json={"items": [{"item_id": "a"}, {"item_id": "b", "kind": "a b"}], **WHY})
    assert wrong.status_code == 422
    assert [problem["field"] for problem in wrong.json()["problems"]] == ["items.1.kind"]
    assert anna.get("/catalogue").json()["holding"]["items"] == 0
    put = anna.post("/catalogue/items", json={"items": [{"item_id": "a", "title": "Coat"}, {"item_id": "b"}], **WHY})
    assert put.json()["after"]["added"] == 2 and put.json()["revision"] is None
    hidden = anna.post("/catalogue/items", json={"items": [{"item_id": "a", "title": "Coat", "hidden": True}], **WHY})
    assert hidden.json()["after"]["changed"] == 1
    assert anna.get("/catalogue/items/a").json()["hidden"] is True
    assert anna.get("/catalogue/items/none").status_code == 404
    assert anna.get("/catalogue").json() == {
        "holding": {"version": 2, "items": 2, "hidden": 1, "sources": {"": 2}},
        "oldest_version": 1,
    }
    with sqlite_database.read() as read:
        assert revisions.number(read) == before
        past = past_items.past(read, 1)
        assert past is not None and not past.items[0].hidden and catalogue.load(read).items[0].hidden
