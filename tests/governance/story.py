"""A story in which every mutating route of control is called once, each doing something."""

from collections.abc import Iterator
from typing import Any

import httpx

from .conftest import NOW, REASON
from .served import Person

WHY = {"reason": REASON}
SYNC = {"source": "file", "location": "items.csv"}
PLATFORM = {"subject": "who", "purposes": {"mail": ["email"]}, "states": {"ACTIVE": "granted"}}
SEGMENT = {"when": {"user.clicks": {"$gte": 10}}}
CAMPAIGN = {"key": "sale", "name": "Sale", "surfaces": ["home"]}
CARD = {"intended_use": "Shows what is in season on the home page.", "limits": "Knows nobody by name.", "owner": "Kim"}
CAP = {"key": "daily", "limit": 3}
TOGGLE = {"key": "new", "enabled": True, "rules": [{"key": "some", "value": True, "coverage": 0.1}]}
PLAN = {"key": "daily", "order": {"attributes": ["age"]}}
ROLE = {"key": "helpers", "like": "marketer", "scopes": ["read"]}
SAID = {"subject": "u-1", "attribute": "gender", "value": "f"}
SLO = {"key": "mine", "indicator": "latency", "objective": 0.9}
RULE = {"key": "lift", "action": "boost", "factor": 2.0, "when": {"age": {"$gte": 30}}}
ROLLOUT = {"kind": "policy.rollout", "key": "home", "payload": {"version": 2, "percent": 50}, "reason": REASON}
GATED = {"kind": "rollout.start", "key": "home", "payload": {"version": 3, "waived": ["fairness"]}, "reason": REASON}


def story(anna: Person, bert: Person, client: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    """Every mutating route once, each doing something."""

    def post(route: str, body: dict[str, Any], by: Person = anna, **path: Any) -> tuple[str, httpx.Response]:
        return f"POST {route}", by.post(route.format(**path), json=body)

    yield post("/campaigns", {"campaign": CAMPAIGN, **WHY})
    tag = anna.get("/campaigns/sale").headers["etag"]
    edit = {"campaign": {**CAMPAIGN, "name": "Sale!"}, **WHY}
    yield "PUT /campaigns/{key}", anna.put("/campaigns/sale", json=edit, headers={"if-match": tag})
    for verb in ("start", "pause", "resume", "end"):
        yield post(f"/campaigns/{{key}}/{verb}", WHY, key="sale")
    yield post("/rules", {"rule": RULE, **WHY})
    tag = anna.get("/rules/lift").headers["etag"]
    edit = {"rule": {**RULE, "factor": 3.0}, **WHY}
    yield "PUT /rules/{key}", anna.put("/rules/lift", json=edit, headers={"if-match": tag})
    for verb in ("rollback", "disable", "enable"):
        yield post(f"/rules/{{key}}/{verb}", WHY, key="lift")
    anna.post("/rules/lift/disable", json=WHY)
    tag = anna.get("/rules/lift").headers["etag"]
    yield "DELETE /rules/{key}", anna.delete("/rules/lift", json=WHY, headers={"if-match": tag})
    yield post("/segments", {"key": "fans", "rule": SEGMENT, **WHY})
    tag = anna.get("/segments/fans").headers["etag"]
    edit = {"rule": {**SEGMENT, "title": "Fans."}, **WHY}
    yield "PUT /segments/{key}", anna.put("/segments/fans", json=edit, headers={"if-match": tag})
    tag = anna.get("/segments/fans").headers["etag"]
    yield "DELETE /segments/{key}", anna.delete("/segments/fans", json=WHY, headers={"if-match": tag})
    yield post("/toggles", {"toggle": TOGGLE, **WHY})
    tag = anna.get("/toggles/new").headers["etag"]
    edit = {"toggle": {**TOGGLE, "name": "New."}, **WHY}
    yield "PUT /toggles/{key}", anna.put("/toggles/new", json=edit, headers={"if-match": tag})
    for verb in ("rollback", "disable", "enable"):
        yield post(f"/toggles/{{key}}/{verb}", WHY, key="new")
    anna.post("/toggles/new/disable", json=WHY)
    tag = anna.get("/toggles/new").headers["etag"]
    yield "DELETE /toggles/{key}", anna.delete("/toggles/new", json=WHY, headers={"if-match": tag})
    yield post("/caps", {"cap": CAP, **WHY})
    tag = anna.get("/caps/daily").headers["etag"]
    edit = {"cap": {**CAP, "limit": 2}, **WHY}
    yield "PUT /caps/{key}", anna.put("/caps/daily", json=edit, headers={"if-match": tag})
    yield post("/caps/{key}/rollback", WHY, key="daily")
    figures = "metric,industry,value,source,date\nclick_rate,fashion,2.1 %,Report,2025-01-31\n"
    yield post("/benchmarks", {"csv": figures, **WHY})
    yield post("/fairness/plans", {"plan": PLAN, **WHY})
    tag = anna.get("/fairness/plans/daily").headers["etag"]
    edit = {"plan": {**PLAN, "every_hours": 12}, **WHY}
    yield "PUT /fairness/plans/{key}", anna.put("/fairness/plans/daily", json=edit, headers={"if-match": tag})
    yield post("/fairness/attributes", {"rows": [SAID], "source": "survey", **WHY})
    yield "DELETE /fairness/attributes/{name}", anna.delete("/fairness/attributes/gender", json=WHY)
    yield post("/policies", {"key": "cart", "surface": "cart", **WHY})
    yield post("/policies/{key}/versions", {"document": {"surface": "home"}, **WHY}, key="home")
    card = {"card": CARD, **WHY}
    told = "/versions/{version}/card"
    yield f"PUT /policies/{{key}}{told}", anna.put("/policies/home/versions/2/card", json=card)
    first = post("/changes", ROLLOUT)
    yield first
    change = first[1].json()["change_id"]
    yield (
        "PUT /changes/{change_id}",
        anna.put(f"/changes/{change}", json={"payload": {"version": 2, "steps": [10, 25]}, **WHY}),
    )
    yield post("/changes/{change_id}/submit", WHY, change_id=change)
    yield post("/changes/{change_id}/approve", WHY, bert, change_id=change)
    yield post("/changes/{change_id}/apply", {**WHY, "confirm": "home"}, change_id=change)
    yield post("/policies/{key}/rollout", {"version": 2, "percent": 5, **WHY}, key="home")
    yield post("/policies/{key}/rollback", WHY, key="home")
    gated = anna.post("/changes", json=GATED).json()["change_id"]
    for verb, by in (("submit", anna), ("approve", bert), ("apply", anna)):
        assert by.post(
            f"/changes/{gated}/{verb}", json={**WHY, "confirm": "home"} if verb == "apply" else WHY
        ).is_success
    started = anna.get("/rollouts").json()["rollouts"][0]["rollout_id"]
    for verb in ("pause", "resume", "roll-back"):
        yield post(f"/rollouts/{{rollout_id}}/{verb}", WHY, rollout_id=started)
    fourth = anna.post("/changes", json=ROLLOUT).json()["change_id"]
    anna.post(f"/changes/{fourth}/submit", json=WHY)
    bert.post(f"/changes/{fourth}/approve", json=WHY)
    soon = {"at": NOW + 60_000_000, "confirm": "home", **WHY}
    yield post("/changes/{change_id}/schedule", soon, change_id=fourth)
    emergency = post("/emergencies", {**WHY, "confirm": "test"})
    yield emergency
    declared = emergency[1].json()["emergency_id"]
    yield post("/emergencies/{emergency_id}/review", WHY, bert, emergency_id=declared)
    second = anna.post("/changes", json=ROLLOUT).json()["change_id"]
    yield post("/changes/{change_id}/submit", WHY, change_id=second)
    yield post("/changes/{change_id}/reject", WHY, bert, change_id=second)
    third = anna.post("/changes", json=ROLLOUT).json()["change_id"]
    yield post("/changes/{change_id}/withdraw", WHY, change_id=third)
    yield post("/kill", {"on": True, **WHY})
    hour = {"start": NOW - 3_600_000_000, "end": NOW}
    yield post("/audits/drift/references", {"surface": "home", "reference": hour, **WHY})
    drifted = {"surface": "home", "feature": "click", **WHY}
    yield post("/audits/drift/accept", {"until": NOW + 3_600_000_000, **drifted})
    yield post("/audits/drift/withdraw", drifted)
    for verb in ("opt-out", "opt-in"):
        yield post(f"/consents/{verb}", {"subject": "u-1", "purpose": "tracking", **WHY})
    for verb in ("history", "receipts", "state"):
        yield post(f"/consents/{verb}", {"subject": "u-1", **WHY})
    yield post("/consents/check", {"subjects": ["u-1", "u-2"], "purpose": "email", **WHY})
    yield post("/consents/import", {"csv": "subject,purpose,state\n", "source": "shop", **WHY})
    yield post("/consents/texts", {"purpose": "email", "version": "1", "body": "May we write?", **WHY})
    wanted = {"kind": "consent_platform.declare", "key": "cmp", "payload": {"platform": PLATFORM}, **WHY}
    platform = anna.post("/changes", json=wanted).json()["change_id"]
    for verb, by in (("submit", anna), ("approve", bert), ("apply", anna)):
        assert by.post(
            f"/changes/{platform}/{verb}", json={**WHY, "confirm": "cmp"} if verb == "apply" else WHY
        ).is_success
    yield post("/consents/platforms/{name}/messages", {"who": "u-1", "purpose": "mail", "state": "ACTIVE"}, name="cmp")
    yield "DELETE /consents/platforms/{name}", anna.delete("/consents/platforms/cmp", json=WHY)
    who = {"subject": "u-1", **WHY}
    for right in ("look-up", "objection", "restriction", "restriction/lift"):
        yield post(f"/subjects/{right}", who)
    yield post("/subjects/rectification", {**who, "interests": {"colour=red": 0.5}})
    looked = anna.post("/subjects/requests", json={**who, "kind": "review"}).json()["request_id"]
    yield post("/subjects/requests/{request_id}/answer", WHY, request_id=looked)
    asked = post("/subjects/requests", {**who, "kind": "erasure"})
    yield asked
    for verb in ("extend", "refuse"):
        yield post(f"/subjects/requests/{{request_id}}/{verb}", WHY, request_id=asked[1].json()["request_id"])
    yield post("/roles", {"role": ROLE, **WHY})
    tag = anna.get("/roles/helpers").headers["etag"]
    edit = {"role": {**ROLE, "title": "Who helps."}, **WHY}
    yield "PUT /roles/{key}", anna.put("/roles/helpers", json=edit, headers={"if-match": tag})
    tag = anna.get("/roles/helpers").headers["etag"]
    yield "DELETE /roles/{key}", anna.delete("/roles/helpers", json=WHY, headers={"if-match": tag})
    minted = post("/tokens", {"name": "t", "principal": "tom", "role": "marketer", **WHY})
    yield minted
    yield post("/jobs", {"name": "drift", **WHY})
    yield post("/checks/run", WHY)
    yield post("/slos", {"slo": SLO, **WHY})
    tag = anna.get("/slos/mine").headers["etag"]
    edit = {"slo": {**SLO, "objective": 0.95}, **WHY}
    yield "PUT /slos/{key}", anna.put("/slos/mine", json=edit, headers={"if-match": tag})
    tag = anna.get("/slos/mine").headers["etag"]
    yield "DELETE /slos/{key}", anna.delete("/slos/mine", json=WHY, headers={"if-match": tag})
    tried = post("/alerts/test", {"name": "errors", **WHY})
    yield tried
    firing = anna.get("/alerts").json()["alerts"][0]["alert_id"]
    assert firing != tried[1].json()["alert_id"]
    yield post("/alerts/{alert_id}/acknowledge", WHY, alert_id=firing)
    yield post("/alerts/{alert_id}/silence", {"minutes": 5, **WHY}, alert_id=firing)
    yield post("/alerts/{alert_id}/lift", WHY, alert_id=firing)
    yield post("/alerts/{alert_id}/resolve", WHY, alert_id=firing)
    link = post("/own/links", {"subject": "u-1", **WHY})
    yield link
    themselves = Person(client, link[1].json()["token"])
    yield post("/own/opt-out", {"purpose": "tracking"}, themselves)
    yield post("/own/opt-in", {"purpose": "tracking"}, themselves)
    yield post("/whatif", {"arguments": {"policy": "home", "version": 1}, **WHY})
    yield post("/offpolicy", {"arguments": {"log": "bts"}, **WHY})
    yield post("/catalogue/items", {"items": [{"item_id": "a"}], **WHY})
    yield post("/catalogue/syncs", {"name": "shop", "sync": SYNC, **WHY})
    tag = anna.get("/catalogue/syncs/shop").headers["etag"]
    slower = {"sync": {**SYNC, "every_s": 600}, **WHY}
    yield "PUT /catalogue/syncs/{name}", anna.put("/catalogue/syncs/shop", json=slower, headers={"if-match": tag})
    yield post("/catalogue/syncs/{name}/remove", WHY, name="shop")
    yield post("/auth/once", {})
    once = anna.post("/auth/once").json()["once"]
    exchanged = client.post("/control/v1/auth/exchange", json={"once": once})
    yield "POST /auth/exchange", exchanged
    yield post("/auth/logout", {}, Person(client, exchanged.json()["token"]))
    yield post("/tokens/{token_id}/revoke", WHY, token_id=minted[1].json()["token_id"])
