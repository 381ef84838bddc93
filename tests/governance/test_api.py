"""The control API over HTTP: who may, what is answered, what is refused and how."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from storage import ledger
from storage.database import Database
from storage.records.access import ROLES

from .conftest import REASON
from .served import BASE, People


def test_me(people: People) -> None:
    answer = people("mary", "marketer").get("/me")
    assert answer.status_code == 200
    assert answer.json()["principal"] == "mary" and answer.json()["solo"] is False
    assert set(answer.json()["scopes"]) == set(ROLES["marketer"])


def test_both_prefixes_answer_alike(people: People) -> None:
    token = people.token("mary", "marketer")
    answers = [
        people.client.get(f"{prefix}/campaigns", headers={"authorization": f"Bearer {token}"}).json()
        for prefix in ("/control/v1", "/api/v1")
    ]
    assert answers[0] == answers[1] and len(answers[0]["campaigns"]) == 2


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic abc", "Bearer fl_unknown", "Bearer \xff"])
def test_no_token_no_entry(people: People, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header.encode("latin-1")}
    answer = people.client.get(f"{BASE}/me", headers=headers)
    assert answer.status_code == 401 and answer.json()["code"] == "FL-1401"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_revoked_token_is_refused_at_once(people: People) -> None:
    admin, mary = people("anna"), people("mary", "marketer")
    listed = admin.get("/tokens").json()["tokens"]
    token_id = next(token["token_id"] for token in listed if token["principal"] == "mary")
    assert mary.get("/me").status_code == 200
    assert admin.post(f"/tokens/{token_id}/revoke", json={"reason": REASON}).json() == {"revoked": True}
    assert mary.get("/me").status_code == 401
    assert mary.token not in json.dumps(admin.get("/tokens").json())


def test_login_by_one_time_link(people: People, clock: Any) -> None:
    once = people("mary", "marketer").post("/auth/once").json()["once"]
    opened = people.client.get(f"{BASE}/me", headers={"authorization": f"Bearer {once}"})
    assert opened.status_code == 403
    session = people.client.post(f"{BASE}/auth/exchange", json={"once": once})
    assert session.status_code == 200 and session.json()["principal"] == "mary"
    again = people.client.post(f"{BASE}/auth/exchange", json={"once": once})
    assert again.status_code == 401
    unknown = people.client.post(f"{BASE}/auth/exchange", json={"once": "fl_unknown"})
    assert unknown.status_code == 401


def test_revoking_a_token_ends_the_logins_that_came_of_it(people: People) -> None:
    admin, mary = people("anna"), people("mary", "marketer")
    once = [mary.post("/auth/once").json()["once"] for _ in range(2)]
    session = people.client.post(f"{BASE}/auth/exchange", json={"once": once[0]}).json()["token"]
    assert people.client.get(f"{BASE}/me", headers={"authorization": f"Bearer {session}"}).status_code == 200
    admin.post(f"/tokens/{mary.get('/me').json()['token_id']}/revoke", json={"reason": REASON})
    assert people.client.get(f"{BASE}/me", headers={"authorization": f"Bearer {session}"}).status_code == 401
    assert people.client.post(f"{BASE}/auth/exchange", json={"once": once[1]}).status_code == 401


def test_a_link_opens_once_however_many_click(people: People) -> None:
    once = people("mary", "marketer").post("/auth/once").json()["once"]

    def click(_: int) -> int:
        return people.client.post(f"{BASE}/auth/exchange", json={"once": once}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(click, range(8))) == [200] + [401] * 7


def test_campaigns_over_http(people: People) -> None:
    mary = people("mary", "marketer")
    name = "<script>alert(1)</script> ![x](https://e.vil/x.png) '); DROP TABLE campaigns;--"
    campaign = {"key": "sale", "name": name, "surfaces": ["home"]}
    made = mary.post("/campaigns", json={"campaign": campaign, "reason": REASON})
    assert made.status_code == 201, made.text
    read = mary.get("/campaigns/sale")
    assert read.json()["campaign"]["name"] == name
    assert read.headers["content-type"] == "application/json"
    tag = read.headers["etag"]
    body = {"campaign": {**campaign, "name": "Sale"}, "reason": REASON}
    assert mary.put("/campaigns/sale", json=body).status_code == 422
    assert mary.put("/campaigns/sale", json=body, headers={"if-match": tag}).status_code == 200
    lost = mary.put("/campaigns/sale", json=body, headers={"if-match": tag})
    assert lost.status_code == 412 and lost.json()["code"] == "FL-1412"
    for verb, status in (("start", "running"), ("pause", "paused"), ("resume", "running"), ("end", "ended")):
        answer = mary.post(f"/campaigns/sale/{verb}", json={"reason": REASON})
        assert answer.status_code == 200 and answer.json()["after"]["status"] == status
    assert mary.post("/campaigns/nothing/pause", json={"reason": REASON}).status_code == 404


def test_four_eyes_over_http(people: People) -> None:
    olga, otto = people("olga", "ops"), people("otto", "ops")
    direct = olga.post(
        "/policies/home/rollout", json={"version": 2, "percent": 50, "reason": REASON, "confirm": "home"}
    )
    assert direct.status_code == 409 and direct.json()["code"] == "FL-1407"
    proposal = {"kind": "policy.rollout", "key": "home", "payload": {"version": 2, "steps": [5, 100]}, "reason": REASON}
    change = olga.post("/changes", json=proposal).json()
    assert change["state"] == "draft" and change["level"] == "D2" and change["needs"] == 1
    path = f"/changes/{change['change_id']}"
    assert olga.post(f"{path}/submit", json={"reason": REASON}).json()["state"] == "in_review"
    own = olga.post(f"{path}/approve", json={"reason": REASON})
    assert own.status_code == 403
    assert otto.post(f"{path}/approve", json={"reason": REASON}).json()["state"] == "approved"
    unconfirmed = olga.post(f"{path}/apply", json={"reason": REASON})
    assert unconfirmed.status_code == 422 and unconfirmed.json()["problems"][0]["field"] == "confirm"
    first = olga.post(f"{path}/apply", json={"reason": REASON, "confirm": "home"})
    assert first.json()["after"]["rollout"]["percent"] == 5
    too_soon = otto.post(f"{path}/apply", json={"reason": REASON, "confirm": "home"})
    assert too_soon.status_code == 412
    last = otto.post(f"{path}/apply", json={"reason": REASON, "confirm": "home", "percent": 100})
    assert last.json()["after"]["stable"] == 2
    assert olga.get(path).json()["state"] == "applied"
    assert olga.get("/policies/home").json()["stable"] == 2


def test_policies_over_http(people: People) -> None:
    mary = people("mary", "marketer")
    bad = mary.post("/policies/home/validate", json={"document": {"surface": "home", "scorer": {"name": "magic"}}})
    assert [problem["field"] for problem in bad.json()["problems"]] == ["scorer.name"]
    draft = mary.post("/policies/home/versions", json={"document": {"surface": "home"}, "reason": REASON})
    assert draft.status_code == 201 and draft.json()["after"]["version"] == 4
    fields = mary.get("/policies/home/diff", params={"from": 1, "to": 2}).json()["fields"]
    assert [field["path"] for field in fields] == ["exploration.epsilon"]
    assert mary.get("/policies/home/versions/99").status_code == 404
    assert mary.get("/policies/home/versions/99999999999999999999").status_code == 422
    assert mary.get("/policies").json()["policies"][0]["versions"][0]["version"] == 4


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"reason": NaN}', "body"),
        (b'{"reason": 1e999}', "body"),
        (b"{", "body"),
        (b"\xff", "body"),
        (b'{"reason": "\\u0000 because it is"}', "body"),
        (b'{"reason": ' + b"[" * 100 + b"]" * 100 + b"}", "body"),
        (b'{"reason": "because it is so", "approved_by": "s3cret"}', "approved_by"),
        (b'{"reason": 5}', "reason"),
        (b'{"reason": "s3cret"}', "reason"),
        (b"[]", "body"),
        (b"", "body"),
    ],
)
def test_bad_bodies_name_the_field_and_echo_nothing(people: People, body: bytes, field: str) -> None:
    answer = people("mary", "marketer").post(
        "/campaigns/men/pause", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422, answer.text
    document = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["code"] == "FL-1422" and [one["field"] for one in document["problems"]] == [field]
    assert "s3cret" not in answer.text


def test_a_body_over_a_mebibyte_is_refused(people: People) -> None:
    answer = people("mary", "marketer").post("/campaigns/men/pause", content=b"x" * (1024 * 1024 + 1))
    assert answer.status_code == 413 and answer.json()["code"] == "FL-1413"


def test_settings_over_http(people: People) -> None:
    anna, bert = people("anna"), people("bert")
    settings = anna.get("/settings")
    installation = settings.json()["installation"]
    installation["surfaces"]["search"] = {"key": "search"}
    body = {"installation": installation, "reason": REASON, "confirm": "installation"}
    direct = anna.put("/settings", json=body, headers={"if-match": settings.headers["etag"]})
    assert direct.status_code == 409 and direct.json()["code"] == "FL-1407"
    proposal = {
        "kind": "settings.edit",
        "key": "installation",
        "payload": {"installation": installation},
        "reason": REASON,
    }
    change = anna.post("/changes", json=proposal).json()
    path = f"/changes/{change['change_id']}"
    anna.post(f"{path}/submit", json={"reason": REASON})
    assert bert.post(f"{path}/approve", json={"reason": REASON}).status_code == 200
    assert bert.post(f"{path}/apply", json={"reason": REASON, "confirm": "installation"}).status_code == 200
    assert "search" in anna.get("/revisions/current").json()["installation"]["surfaces"]


def test_kill_over_http(people: People) -> None:
    olga = people("olga", "ops")
    assert olga.post("/kill", json={"on": True, "reason": REASON}).status_code == 200
    assert olga.get("/kill").json()["on"] is True
    assert olga.post("/kill", json={"on": False, "reason": REASON}).status_code == 422
    assert olga.post("/kill", json={"on": False, "reason": REASON, "confirm": "test"}).status_code == 200


def test_consent_over_http(people: People, sqlite_database: Database) -> None:
    olga = people("olga", "ops")
    order = {"subject": "u-1@example.org", "purpose": "personalization", "reason": REASON}
    answer = olga.post("/consents/opt-out", json=order)
    assert answer.status_code == 200 and answer.json()["complete"] and answer.json()["epoch"] == 1
    assert olga.post("/consents/opt-in", json=order).json()["epoch"] == 2
    history = olga.post("/consents/history", json={"subject": "u-1@example.org", "reason": REASON}).json()["changes"]
    assert [change["state"] for change in history] == ["denied", "granted"]
    assert olga.get("/consents/summary").json()["purposes"] == {"personalization": {"granted": 1}}
    assert people("mary", "marketer").get("/consents/summary").json()["purposes"] == {
        "personalization": {"granted": None}
    }
    with sqlite_database.read() as read:
        entries = ledger.entries(read, object_kind="subject")
    assert [entry.action for entry in entries] == ["consent.look_up", "consent.opt_in", "consent.opt_out"]
    assert "u-1" not in json.dumps([entry.object_key for entry in entries])
    assert olga.post("/consents/opt-out", json={**order, "purpose": "everything"}).status_code == 422


def test_jobs_over_http(people: People) -> None:
    dora = people("dora", "data_scientist")
    job = dora.post("/jobs", json={"name": "drift", "arguments": {"campaign": "men"}, "reason": REASON})
    assert job.status_code == 202 and job.json()["state"] == "queued" and job.json()["requested_by"] == "dora"
    assert dora.get(f"/jobs/{job.json()['job_id']}").json() == job.json()
    assert dora.get("/jobs", params={"state": "queued"}).json()["jobs"] == [job.json()]
    assert dora.post("/jobs", json={"name": "rm -rf", "reason": REASON}).status_code == 422


def test_the_ledger_over_http(people: People) -> None:
    olga = people("olga", "ops")
    olga.post("/campaigns/men/pause", json={"reason": REASON}, headers={"x-request-id": "req-7"})
    first = olga.get("/ledger", params={"action": "campaign.pause"}).json()["entries"]
    assert first[0]["actor"] == "olga" and first[0]["request_id"] == "req-7"
    assert olga.get("/ledger", params={"action": "ledger.view"}).json()["entries"][0]["actor"] == "olga"
    page = olga.get("/ledger", params={"limit": 2}).json()
    older = olga.get("/ledger", params={"limit": 2, "before_seq": page["next_before_seq"]}).json()
    assert older["entries"][0]["seq"] == page["entries"][-1]["seq"] - 1
    assert olga.get("/ledger/verify").json()["ok"] is True
    mary = people("mary", "marketer")
    assert mary.get("/ledger").status_code == 403
    mary.post("/campaigns/men/resume", json={"reason": REASON})
    assert {entry["actor"] for entry in mary.get("/ledger/own").json()["entries"]} == {"mary"}
    injected = olga.get("/ledger", params={"actor": "' OR 1=1 --"}).json()["entries"]
    assert injected == []


def test_system_and_replicas(people: People) -> None:
    mary = people("mary", "marketer")
    system = mary.get("/system").json()
    assert system["environment"] == "test" and system["revision"] == 1 and system["ledger_head"]["seq"] >= 5
    assert mary.get("/replicas").json()["sentence"] == "revision 1 is live on 0 of 0 replicas"
    assert mary.get("/models").json() == {"models": [], "in_service": {}, "standings": []}
    assert mary.get("/audits").json() == {"audits": []}


def test_unknown_decisions_and_no_engine(people: People) -> None:
    dora = people("dora", "data_scientist")
    assert dora.get("/decisions").json() == {"decisions": []}
    assert dora.get("/decisions/0198-nothing").status_code == 503
    assert dora.get("/decisions/0198-nothing/replay").status_code == 503
    assert dora.get("/decisions", params={"zone": "../../etc"}).status_code in {200, 422}
    assert dora.get("/decisions", params={"zone": "../../etc", "hour": 3}).status_code == 422
    assert people("mary", "marketer").get("/decisions").status_code == 403


def test_health_needs_no_token(people: People) -> None:
    assert people.client.get("/healthz").json() == {"ok": True}
    assert people.client.get("/readyz").json()["revision"] == 1
    assert people.client.get(f"{BASE}/openapi.json").json()["info"]["title"] == "Fairlead control"
    missing = people.client.get(f"{BASE}/nothing")
    assert missing.status_code == 404 and missing.json()["code"] == "FL-1404"
    wrong = people.client.delete(f"{BASE}/campaigns")
    assert wrong.status_code == 405 and wrong.json()["code"] == "FL-1405"
