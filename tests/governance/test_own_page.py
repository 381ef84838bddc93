"""A person's own page: opened once, closed to everybody else, every form one action, nothing hostile alive."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from governance.control import Control
from storage import consent, ledger, links, profiles, subject_requests
from storage.database import Database
from storage.keys import Keys
from storage.pseudonyms import Salts
from storage.records.clock import SECOND
from storage.records.consent import Purpose
from storage.records.profiles import Profile, Said
from storage.signed import verified

from .conftest import REASON, Clock, warrant
from .served import People
from .visiting import Browser, Forms, link

ANNA, BERT = "anna@example.org", "bert@example.org"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def browsers(people: People) -> Iterator[Any]:
    made: list[Browser] = []

    def opened(subject: str) -> Browser:
        made.append(Browser(str(people.client.base_url)))
        assert made[-1].open(link(people, subject)).status_code == 200
        return made[-1]

    yield opened
    for one in made:
        one.http.close()


def known(control: Control, *subjects: str) -> None:
    for subject in subjects:
        control.opt_in(subject, Purpose.PERSONALIZATION, warrant())


def entries(database: Database) -> list[str]:
    with database.read() as read:
        return [entry.action for entry in ledger.entries(read, actor="end_user", limit=500)][::-1]


def test_a_link_opens_the_page_once_and_only_for_a_while(people: People, clock: Clock, keys: Keys) -> None:
    path = link(people, ANNA)
    client = people.client
    assert client.head(path).status_code == 204
    assert client.get(path, headers={"sec-purpose": "prefetch"}).status_code == 204
    answer = client.get(path)
    assert answer.status_code == 303 and answer.headers["location"] == "/me"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/me" in cookie
    shown = answer.cookies["fairlead_me"]
    client.cookies.clear()
    again = client.get(path)
    assert again.status_code == 401 and "opened already" in again.text
    late = link(people, ANNA)
    clock.at += links.LASTS + SECOND
    assert client.get(late).status_code == 401
    assert client.get("/me", headers={"cookie": f"fairlead_me={shown}"}).status_code == 200
    clock.at += links.STAYS
    assert client.get("/me", headers={"cookie": f"fairlead_me={shown}"}).status_code == 401


def test_what_is_forged_opens_nothing(people: People, keys: Keys, clock: Clock, browsers: Any) -> None:
    client = people.client
    token = links.issue(keys, ANNA, clock())[0]
    visit = links.visit(keys, ANNA, "0" * 16, clock())
    for forged in (token[:-3], links.PREFIX, "x", visit, "%3Cscript%3E"):
        answer = client.get(f"/me/open/{forged}")
        assert answer.status_code == 401 and "<script" not in answer.text, forged
    for shown in (token, visit[:-3], visit.replace("fl_me.", "fl_own."), "x", ""):
        assert client.get("/me", headers={"cookie": f"fairlead_me={shown}"}).status_code == 401, shown
    held = {"authorization": f"Bearer {visit}"}
    assert client.get("/control/v1/own", headers=held).status_code == 401


def test_every_route_but_the_public_ones_asks_for_an_open_page(people: People) -> None:
    paths = ("", "leave", "data", "consent/on", "consent/off", "object", "interests", "feedback", "review", "delete")
    wanted = {("GET" if not path else "POST", f"/me/{path}".rstrip("/")) for path in (*paths, "delete/back")}
    for method, path in wanted:
        answer = people.client.request(method, path, data={"key": "0"} if method == "POST" else None)
        assert answer.status_code == 401, (method, path)
    assert people.client.get("/me/style.css").status_code == 200
    assert people.client.get("/me/receipt/0").status_code == 404


def test_a_form_of_another_site_does_nothing(control: Control, browsers: Any, sqlite_database: Database) -> None:
    known(control, ANNA, BERT)
    anna, bert = browsers(ANNA), browsers(BERT)
    before = len(entries(sqlite_database))
    key = anna.forms("/me/object")[0]["fields"]["key"]
    for sent in ({}, {"key": ""}, {"key": "0" * 32}, {"key": key + "0"}, {"key": "é"}):
        assert anna.http.post("/me/object", data=sent).status_code in {403, 422}, sent
    assert bert.http.post("/me/object", data={"key": key}).status_code == 403
    elsewhere = {"sec-fetch-site": "cross-site"}
    assert anna.http.post("/me/object", data={"key": key}, headers=elsewhere).status_code == 403
    assert anna.http.post("/me/object", json={"key": key}).status_code == 422
    many = "&".join(f"f{number}=1" for number in range(200))
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert anna.http.post("/me/object", content=many.encode(), headers=form).status_code == 422
    assert anna.http.post("/me/object", content=b"key=%ff%00", headers=form).status_code == 422
    assert len(entries(sqlite_database)) == before


def test_no_takes_no_more_steps_than_yes(control: Control, browsers: Any, keys: Keys) -> None:
    known(control, ANNA)
    anna = browsers(ANNA)
    off = anna.forms("/me/consent/off")[0]
    assert off["fields"]["purpose"] == "personalization"
    assert anna.send("/me/consent/off", **{**off["fields"], "key": off["fields"]["key"]}).status_code == 303
    on = next(form for form in anna.forms("/me/consent/on") if form["fields"]["purpose"] == "personalization")
    assert (len(off["buttons"]), off["asked"], set(off["fields"])) == (
        len(on["buttons"]),
        on["asked"],
        set(on["fields"]),
    )
    assert (len(on["buttons"]), on["asked"]) == (1, 0)
    assert "nothing is chosen for you" in anna.text
    assert anna.send("/me/consent/on", **on["fields"]).status_code == 303


def test_each_form_is_one_action_that_stands_in_the_ledger(
    control: Control, browsers: Any, sqlite_database: Database, keys: Keys
) -> None:
    known(control, ANNA)
    pseudonym = Salts(sqlite_database, keys.lookup).find(ANNA)
    assert pseudonym is not None
    with sqlite_database.write() as write:
        liked = {"colour=red": Said(value=0.5, at=1), "colour=blue": Said(value=1.0, at=1)}
        profiles.state(write, pseudonym, Profile(interests=liked), at=1)
    anna = browsers(ANNA)
    assert entries(sqlite_database) == ["own.open"]
    steps = (
        ("/me/consent/off", {"purpose": "tracking"}, ["consent.opt_out"]),
        ("/me/consent/on", {"purpose": "tracking"}, ["consent.opt_in"]),
        ("/me/object", {}, ["subject.objection"]),
        ("/me/interests", {"up": "colour=red"}, ["subject.rectification"]),
        ("/me/interests", {"name.1": "colour=red", "word.1": "not at all"}, ["subject.rectification"]),
        ("/me/interests", {"aside": "colour=blue"}, ["subject.rectification"]),
        ("/me/interests", {"again": "colour=blue"}, ["subject.rectification"]),
        ("/me/data", {}, ["subject.access"]),
        ("/me/review", {"said": "why boots?"}, ["subject.review"]),
        (
            "/me/delete",
            {"sure": "yes"},
            ["subject.request.erasure", "change.propose", "change.submit", "subject.restriction"],
        ),
        ("/me/delete/back", {}, ["change.withdraw", "subject.request.close", "subject.restriction"]),
    )
    for action, fields, wanted in steps:
        before = len(entries(sqlite_database))
        answer = anna.send(action, **fields)
        assert answer.status_code in {200, 303}, (action, answer.text)
        assert entries(sqlite_database)[before:] == wanted, action
    with sqlite_database.read() as read:
        said = profiles.stated(read, pseudonym)
        words = {change.purpose: change.state for change in consent.history(read, pseudonym)}
        told = str(ledger.entries(read, actor="end_user", limit=500))
    assert said is not None and {name: one.value for name, one in said.profile.interests.items()} == {
        "colour=red": -1.0
    }
    assert words[Purpose.DIRECT_MARKETING] == words[Purpose.EMAIL] == "denied" and words[Purpose.TRACKING] == "granted"
    assert "example.org" not in told and pseudonym not in told and "why boots?" not in told
    assert anna.send("/me/leave").status_code == 200
    assert anna.http.get("/me").status_code == 401 and entries(sqlite_database)[-1] == "own.close"


def test_moving_up_lets_two_interests_change_places(
    control: Control, browsers: Any, sqlite_database: Database, keys: Keys
) -> None:
    known(control, ANNA)
    pseudonym = Salts(sqlite_database, keys.lookup).find(ANNA) or ""
    with sqlite_database.write() as write:
        liked = {"tag=low": Said(value=0.25, at=1), "tag=high": Said(value=0.75, at=1)}
        profiles.state(write, pseudonym, Profile(interests=liked), at=1)
    anna = browsers(ANNA)
    assert anna.send("/me/interests", up="tag=low").status_code == 303
    with sqlite_database.read() as read:
        found = profiles.stated(read, pseudonym)
    assert found is not None
    assert {name: one.value for name, one in found.profile.interests.items()} == {"tag=low": 0.75, "tag=high": 0.25}
    assert anna.text.index(">low<") < anna.text.index(">high<")
    for fields in ({"up": "tag=unknown"}, {"aside": "tag=unknown"}, {"name.1": "tag=low", "word.1": "100"}):
        assert anna.send("/me/interests", **fields).status_code in {404, 422}, fields


def test_the_data_hold_everything_as_json_and_csv(control: Control, browsers: Any, keys: Keys) -> None:
    known(control, ANNA, BERT)
    anna = browsers(ANNA)
    answer = anna.send("/me/data")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = set(archive.namelist())
        whole, signed = json.loads(archive.read("export.json")), json.loads(archive.read("signed.json"))
    assert {"export.json", "consent.csv", "events.csv", "decisions.csv", "interests.csv"} <= names
    assert [one["purpose"] for one in whole["consent"]] == ["personalization"] and "about" in whole
    assert verified(signed, keys.public_pem) and set(signed["sha256"]) == names - {"signed.json"}


def test_a_deletion_pauses_everything_at_once_and_is_approved_like_every_other(
    control: Control, people: People, browsers: Any, sqlite_database: Database
) -> None:
    known(control, ANNA)
    anna = browsers(ANNA)
    assert anna.send("/me/delete").status_code == 422
    assert anna.send("/me/delete", sure="yes").status_code == 303
    text = anna.text
    assert "Everything about you is paused" in text and "0 did so far" in text
    assert anna.send("/me/delete", sure="yes").status_code == 409
    assert anna.send("/me/consent/on", purpose="personalization").status_code == 409
    with sqlite_database.read() as read:
        request = next(one for one in subject_requests.listed(read, kind="erasure"))
    number = request.request_id
    assert request.state == "open" and number in text
    assert people("ops", "ops").get(f"/subjects/requests/{number}").json()["change"]["state"] == "in_review"
    assert "has to be done by" in people.client.get(f"/me/receipt/{number}").text
    assert people.client.get(f"/me/receipt/{number}?as=json").status_code == 404
    assert anna.send("/me/delete/back").status_code == 303
    assert "right now things are chosen for you" in anna.text.lower()
    told = people.client.get(f"/me/receipt/{number}?as=json").json()
    assert told["receipt"]["outcome"] == "taken back by the person"
    assert verified(told["receipt"], told["public_key"].encode())
    assert anna.send("/me/delete/back").status_code == 404


def test_a_person_answers_who_asked_for_one(
    control: Control, people: People, browsers: Any, sqlite_database: Database
) -> None:
    known(control, ANNA, BERT)
    anna, bert = browsers(ANNA), browsers(BERT)
    assert anna.send("/me/review", said=HOSTILE).status_code == 303
    assert anna.send("/me/review", said="again").status_code == 409
    assert anna.send("/me/review", said="x" * 1_001).status_code == 422
    staff = people("ops", "ops")
    [request] = staff.get("/subjects/requests?kind=review").json()["requests"]
    assert request["progress"]["said"] == HOSTILE and request["state"] == "open"
    path = f"/subjects/requests/{request['request_id']}/answer"
    assert people("mary", "marketer").post(path, json={"reason": REASON}).status_code == 403
    answered = staff.post(path, json={"reason": "A person looked: boots were shown by a rule of the shop."})
    assert answered.json()["state"] == "done"
    assert staff.post(path, json={"reason": REASON}).status_code == 409
    assert "boots were shown by a rule" in anna.text and "boots were shown" not in bert.text
    assert "<script>" not in anna.text and "&lt;script&gt;" in anna.text


def test_of_whom_nothing_is_kept_nothing_is_made(browsers: Any, sqlite_database: Database, keys: Keys) -> None:
    stranger = browsers("stranger@example.org")
    assert "Nothing is kept about you here" in stranger.text
    for action, fields in (("/me/data", {}), ("/me/delete", {"sure": "yes"}), ("/me/review", {})):
        answer = stranger.send(action, **fields)
        assert answer.status_code == 404 and "Nothing is kept about you" in answer.text, action
    assert Salts(sqlite_database, keys.lookup).find("stranger@example.org") is None
    assert stranger.send("/me/object").status_code == 303
    assert Salts(sqlite_database, keys.lookup).find("stranger@example.org") is not None


def test_names_of_others_are_text_and_the_page_may_load_nothing(
    control: Control, people: People, browsers: Any, sqlite_database: Database, keys: Keys
) -> None:
    known(control, HOSTILE)
    wording = {"purpose": "email", "version": "1", "body": HOSTILE, "reason": REASON}
    assert people("root").post("/consents/texts", json=wording).is_success
    pseudonym = Salts(sqlite_database, keys.lookup).find(HOSTILE) or ""
    with sqlite_database.write() as write:
        profiles.state(write, pseudonym, Profile(interests={f"tag={HOSTILE}": Said(value=0.5, at=1)}), at=1)
    page = browsers(HOSTILE)
    answer = page.http.get("/me?done=%3Cscript%3E")
    found = Forms(answer.text)
    assert not found.tags & {"script", "img", "iframe", "object", "style"} and answer.text.count("&lt;script&gt;") >= 1
    assert all(re.match(r"/me|#", address) for address in re.findall(r'(?:href|src|action)="([^"]*)', answer.text))
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy and "unsafe" not in policy
    for name, value in (
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
    ):
        assert answer.headers[name] == value
