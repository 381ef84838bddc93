"""A person sees and says what concerns themselves, and nothing of anybody else."""

import base64
from pathlib import Path

import orjson

from storage import ledger, links
from storage.database import Database
from storage.keys import Keys
from storage.records.clock import SECOND

from .conftest import REASON, Clock
from .served import People, Person


def link(people: People, subject: str) -> Person:
    shop = people(f"shop for {subject}", "service")
    answer = shop.post("/own/links", json={"subject": subject, "reason": REASON})
    assert answer.status_code == 201, answer.text
    return Person(people.client, answer.json()["token"])


def test_each_sees_and_says_their_own(people: People, sqlite_database: Database) -> None:
    anna, bert = link(people, "anna@example.org"), link(people, "bert@example.org")
    assert anna.post("/own/opt-out", json={"purpose": "personalization"}).status_code == 200
    mine, others = anna.get("/own").json()["consents"], bert.get("/own").json()["consents"]
    assert [(one["purpose"], one["state"]) for one in mine] == [("personalization", "denied")] and others == []
    assert anna.post("/own/opt-in", json={"purpose": "personalization"}).status_code == 200
    assert [one["state"] for one in anna.get("/own").json()["consents"]] == ["denied", "granted"]
    with sqlite_database.read() as read:
        entries = ledger.entries(read, actor="end_user")
    assert {entry.action for entry in entries} == {"consent.opt_out", "consent.opt_in", "consent.look_up"}
    assert "example.org" not in str(entries)


def test_a_link_opens_nothing_else(people: People) -> None:
    anna = link(people, "anna@example.org")
    for path in ("/me", "/campaigns", "/ledger", "/decisions", "/tokens", "/consents/summary"):
        assert anna.get(path).status_code == 403, path
    order = {"subject": "bert@example.org", "purpose": "tracking", "reason": REASON}
    assert anna.post("/consents/opt-out", json=order).status_code == 403
    assert anna.post("/own/links", json={"subject": "bert@example.org", "reason": REASON}).status_code == 403
    assert anna.post("/own/opt-out", json={"purpose": "tracking", "subject": "bert@example.org"}).status_code == 422
    assert people("olga", "ops").get("/own").status_code == 403
    assert people("odd", "end_user").get("/own").status_code == 404


def test_a_link_that_was_changed_or_has_ended_is_refused(
    people: People, keys: Keys, clock: Clock, tmp_path: Path
) -> None:
    anna = link(people, "anna@example.org")
    text = anna.token.removeprefix(links.PREFIX)
    said = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    stranger, _until = links.issue(Keys.open(tmp_path / "other"), "anna@example.org", clock())
    forged = [
        links.PREFIX + base64.urlsafe_b64encode(orjson.dumps(said | changed)).decode().rstrip("=")
        for changed in ({"subject": "bert@example.org"}, {"until": 10**18}, {"kind": "receipt"}, {"signature": ""})
    ]
    for token in (*forged, stranger, links.PREFIX, links.PREFIX + "é", links.PREFIX + "W10"):
        answer = people.client.get("/control/v1/own", headers={"authorization": f"Bearer {token}".encode()})
        assert answer.status_code == 401, token
    clock.at += links.LASTS - SECOND
    assert anna.get("/own").status_code == 200
    clock.at += 2 * SECOND
    assert anna.get("/own").status_code == 401
