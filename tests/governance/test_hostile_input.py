"""What is hostile, endless or nonsense stays plain data or is refused politely."""

import re

import httpx
import pytest

from storage.database import Database

from .entry_counter import Counter
from .served import People, Person
from .story import CAMPAIGN, WHY

PAYLOADS = [
    "'; DROP TABLE policies; --",
    '" OR 1=1 --',
    "<script>alert(1)</script>",
    "![x](https://e.vil/x.png)",
    "<b>bold</b> & <img src=x onerror=alert(1)>",
    "%s %d {0} ${x} {{7*7}}",
    "=HYPERLINK(1)",
    "\u202etxt.exe",
    "é漢字🙂 \u200b",
    "../../etc/passwd",
    "a\\b'c\"d`e;f",
]


@pytest.mark.parametrize("text", PAYLOADS)
def test_hostile_names_stay_plain_data(people: People, sqlite_database: Database, text: str) -> None:
    counter, anna = Counter(sqlite_database), people("anna")
    policies_before = anna.get("/policies").json()
    body = {"campaign": {**CAMPAIGN, "name": text}, "reason": f"{text} and so on"}
    assert anna.post("/campaigns", json=body).status_code == 201
    assert anna.get("/campaigns/sale").json()["campaign"]["name"] == text
    minted = anna.post("/tokens", json={"name": text, "principal": text, "role": "marketer", **WHY})
    if text.isprintable():
        assert minted.status_code == 201
        assert Person(people.client, minted.json()["token"]).get("/me").json()["principal"] == text
    else:
        assert minted.status_code == 422
    entries = counter.entries()
    for path in ("/ledger", "/changes", "/jobs", "/decisions", "/campaigns"):
        for name in ("actor", "action", "object_key", "name", "campaign", "item", "attribute", "value"):
            assert anna.get(path, params={name: text}).status_code == 200, (path, name)
    found = anna.get("/ledger", params={"action": "campaign.create"}).json()["entries"][0]
    assert found["reason"] == f"{text} and so on" and found["after"]["name"] == text
    assert anna.get("/policies").json() == policies_before and counter.entries() >= entries
    for path in ("/campaigns/", "/policies/", "/changes/", "/audits/", "/jobs/"):
        missing = anna.get(httpx.URL(path).copy_with(path=path + text.replace("/", "-")).path)
        assert missing.status_code == 404, path
        assert not re.search(r"<script|onerror", missing.text)


def test_nul_and_endless_numbers_are_refused_politely(people: People) -> None:
    anna = people("anna")
    for path in ("/campaigns/%00", "/ledger?actor=%00", "/decisions/a%00b"):
        assert anna.get(path).status_code == 422, path
    for path in ("/revisions/99999999999999999999999", "/ledger?before_seq=-1", "/ledger?limit=501", "/jobs?state=x"):
        assert anna.get(path).status_code == 422, path
    assert anna.get("/revisions/9").status_code == 404
    token = {"name": "t", "principal": "p", "scopes": ["root"], **WHY}
    assert anna.post("/tokens", json=token).status_code == 422
    assert anna.post("/tokens", json={**token, "scopes": [], "expires_in_s": 10**30}).status_code == 422
