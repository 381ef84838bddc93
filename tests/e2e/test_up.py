"""``fairlead up``, end to end: from an empty folder to decisions, pages and a graceful stop."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.installation import Copy, make_copy, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


def decide(copy: Copy, token: str, campaign: str = "men", subject: str | None = "u-1") -> dict[str, Any]:
    who = {} if subject is None else {"subject": subject}
    body = {"surface": "home", "campaign": campaign, "slots": 3, "context": {}, **who}
    answer = copy.ask(token, "/v1/personalize", body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_all_three_processes_answer(copy: Copy) -> None:
    for url in (
        f"http://127.0.0.1:{copy.engine}/readyz",
        f"http://127.0.0.1:{copy.control}/healthz",
        f"http://127.0.0.1:{copy.dashboard}/",
    ):
        assert httpx.get(url, timeout=10.0).status_code == 200, url


@pytest.mark.parametrize("campaign", ["all", "men", "women"])
def test_each_imported_campaign_gets_decisions(copy: Copy, token: str, campaign: str) -> None:
    answer = decide(copy, token, campaign)
    assert answer["decision_id"]
    assert len(answer["items"]) == 3
    assert all(entry["item"].startswith(f"{campaign}-") for entry in answer["items"])
    assert all(0.0 < entry["propensity"] <= 1.0 for entry in answer["items"])


def test_a_new_token_is_known_to_the_engine_when_it_is_shown(copy: Copy) -> None:
    for number in range(3):
        minted = copy.data("token", "create", "--name", f"at-once-{number}", "--scopes", "decide")
        asked = {"subject": "at-once", "surface": "home", "campaign": "men", "slots": 3, "context": {}}
        assert copy.ask(minted["token"], "/v1/personalize", asked).status_code == 200


def test_the_link_signs_in_once(copy: Copy) -> None:
    link = copy.data("login")["url"]
    first = httpx.get(link, timeout=10.0)
    assert first.status_code == 303
    assert "httponly" in first.headers["set-cookie"].lower()
    assert "samesite=lax" in first.headers["set-cookie"].lower()
    second = httpx.get(link, timeout=10.0)
    assert "set-cookie" not in second.headers


def test_an_opt_out_holds_for_the_next_decision_and_leaves_no_subject(copy: Copy, token: str) -> None:
    reason = ("--reason", "asked by phone", "--yes")
    done = copy.data("consent", "opt-out", "e2e-leaver", "--purpose", "personalization", *reason)
    assert done["complete"] is True
    answer = decide(copy, token, subject="e2e-leaver")
    assert answer["served_by"] == "default"
    record = httpx.get(
        f"http://127.0.0.1:{copy.engine}/v1/decisions/{answer['decision_id']}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=10.0,
    ).json()
    assert record.get("decision", record)["subject"] is None
    copy.data("consent", "opt-in", "e2e-leaver", "--purpose", "personalization", *reason)
    assert decide(copy, token, subject="e2e-leaver")["served_by"] != "default"


def test_a_decision_is_replayed_exactly(copy: Copy, token: str) -> None:
    answer = decide(copy, token, subject="e2e-replayed")
    assert copy.data("replay", answer["decision_id"])["verdict"] == "exact"


def test_traffic_arrives_through_the_public_api_and_is_marked(copy: Copy) -> None:
    admin = (copy.home / "keys" / "admin.token").read_text().strip()

    def simulated() -> Any:
        answer = httpx.get(
            f"http://127.0.0.1:{copy.control}/control/v1/decisions",
            params={"origin": "simulated", "limit": 5},
            headers={"Authorization": f"Bearer {admin}"},
            timeout=20.0,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["decisions"]

    assert until(simulated, within_s=60.0), copy.logs()


def test_the_doctor_is_content(copy: Copy) -> None:
    findings = copy.data("doctor")
    assert [finding for finding in findings if finding["verdict"] == "FAIL"] == []
    assert {"versions", "database", "control", "ledger"} <= {finding["check"] for finding in findings}


def test_the_newest_revision_is_live_everywhere(copy: Copy) -> None:
    found = copy.data("replicas")
    assert (found["live"], found["registered"]) == (1, 1)


def test_a_second_copy_on_the_same_home_is_a_conflict(copy: Copy) -> None:
    ran = copy.run("up")
    assert (ran.returncode, ran.stdout) == (5, "")
    assert "FAIRLEAD_HOME" in ran.stderr


def test_a_taken_port_is_a_conflict_that_names_its_setting(copy: Copy, tmp_path: Path) -> None:
    other = make_copy(tmp_path / "home")
    other.engine = copy.engine
    ran = other.run("up", "--no-traffic")
    assert (ran.returncode, ran.stdout) == (5, "")
    assert "FAIRLEAD_ENGINE_PORT" in ran.stderr


def test_a_killed_engine_is_back_and_knows_what_it_acknowledged(copy: Copy, token: str) -> None:
    answer = decide(copy, token, subject="e2e-killed")
    events = [
        {
            "event_id": f"e2e-{number}",
            "type": "click",
            "item": answer["items"][0]["item"],
            "surface": "home",
            "campaign": "men",
            "decision_id": answer["decision_id"],
            "subject": "e2e-killed",
        }
        for number in range(50)
    ]
    assert copy.ask(token, "/v1/events", {"events": events}).status_code == 202
    (engine,) = (pid for pid in copy.pids() if b"engine\0--replica" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(engine, signal.SIGKILL)
    ready = f"http://127.0.0.1:{copy.engine}/readyz"

    def back() -> bool:
        try:
            return httpx.get(ready, timeout=2.0).status_code == 200
        except httpx.HTTPError:
            return False

    until(lambda: not back(), within_s=5.0)
    assert until(back, within_s=60.0), copy.logs()
    journal, after, seen = f"http://127.0.0.1:{copy.engine}/v1/journal", 0, set()
    while True:
        page = httpx.get(
            journal, params={"after": after, "limit": 1000}, headers={"Authorization": f"Bearer {token}"}, timeout=20.0
        ).json()
        if not page["entries"]:
            break
        after = max(_seq(entry) for entry in page["entries"])
        told = json.dumps(page["entries"])
        seen |= {event["event_id"] for event in events if f'"{event["event_id"]}"' in told}
    assert len(seen) == 50


def _seq(entry: Any) -> int:
    return int(entry["seq"] if isinstance(entry, dict) else entry[0])


def test_two_copies_run_side_by_side_then_stop_and_start_again(copy: Copy, token: str, tmp_path: Path) -> None:
    other = make_copy(tmp_path / "home")
    downloads = copy.home / "downloads"
    if downloads.exists():
        other.home.mkdir()
        (other.home / "downloads").symlink_to(downloads)
    other.start("--no-traffic")
    try:
        assert httpx.get(f"http://127.0.0.1:{other.engine}/readyz", timeout=10.0).status_code == 200
        foreign = copy.ask(token, "/v1/personalize", {"surface": "home", "context": {}}).status_code
        other_copy = other.ask(token, "/v1/personalize", {"surface": "home", "context": {}}).status_code
        assert (foreign, other_copy) == (200, 401), "a token of one copy is none of the other's"
    finally:
        code, seconds = other.stop(signal.SIGINT)
    assert code == 0, other.said + other.logs()
    assert seconds < 10.0
    assert until(lambda: not other.pids(), within_s=5.0)
    entries = other.data("ledger", "verify", "--offline")
    assert entries["ok"] is True
    other.start("--no-traffic")
    assert "importing" not in other.said
    assert other.data("models", "list")["in_service"]
    code, _ = other.stop()
    assert code == 0


def test_it_stops_within_ten_seconds_and_leaves_nothing_behind(copy: Copy) -> None:
    code, seconds = copy.stop()
    assert code == 0, copy.said + copy.logs()
    assert seconds < 10.0
    assert until(lambda: not copy.pids(), within_s=5.0)
    assert copy.run("replicas").returncode == 6
