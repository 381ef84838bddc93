"""Rules on a running installation: written by control, in the next decisions, in the ledger, and taken back."""

import json
from typing import Any

import pytest

from tests.e2e.installation import Copy, until
from tests.e2e.test_up import decide

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

WHY = ("--reason", "because it is tried out", "--yes")


def written(copy: Copy, **rule: Any) -> str:
    path = copy.home.parent / f"{rule['key']}.json"
    path.write_text(json.dumps(rule), "utf-8")
    return str(path)


def places(copy: Copy, token: str, item: str) -> int | None:
    """Return the slot at which someone sees an item, None where they do not."""
    items = [entry["item"] for entry in decide(copy, token, subject="e2e-ruled")["items"]]
    return items.index(item) + 1 if item in items else None


def test_a_rule_changes_the_next_decisions_stands_in_the_ledger_and_goes_back(copy: Copy, token: str) -> None:
    shown = {entry["item"] for entry in decide(copy, token, subject="e2e-ruled")["items"]}
    item = next(f"men-{number}" for number in range(30) if f"men-{number}" not in shown)
    rule = {
        "key": "e2e-pin",
        "action": "pin",
        "slot": 1,
        "when": {"user.clicks": {"$gte": 0}},
        "items": {"item_id": item},
        "campaigns": ["men"],
        "reason": "Placed first to try it out",
    }
    checked = copy.data("rule", "check", written(copy, **rule))
    assert checked == {"problems": [], "conflicts": [], "level": "D1"}
    made = copy.data("rule", "create", written(copy, **rule), *WHY)
    assert until(lambda: places(copy, token, item) == 1, within_s=10.0)
    answer = decide(copy, token, subject="e2e-ruled")
    assert answer["revision"] >= made["revision"]
    assert copy.data("replay", answer["decision_id"])["verdict"] == "exact"
    rival = written(copy, **{**rule, "key": "e2e-rival", "items": {"item_id": "men-0"}, "priority": -1})
    met = copy.data("rule", "check", rival)["conflicts"]
    assert [one["kind"] for one in met] == ["same_slot"] and "priority 0 goes before -1" in met[0]["sentence"]

    copy.data("rule", "edit", "e2e-pin", written(copy, **{**rule, "slot": 2}), *WHY)
    assert until(lambda: places(copy, token, item) == 2, within_s=10.0)
    copy.data("rule", "rollback", "e2e-pin", *WHY)
    assert until(lambda: places(copy, token, item) == 1, within_s=10.0)
    copy.data("rule", "disable", "e2e-pin", *WHY)
    assert until(lambda: places(copy, token, item) is None, within_s=10.0)
    copy.data("rule", "delete", "e2e-pin", *WHY)
    entries = [entry for entry in copy.data("ledger", "list") if entry["object_key"] == "e2e-pin"]
    assert [entry["action"] for entry in reversed(entries)] == [
        f"rule.{verb}" for verb in ("create", "edit", "rollback", "disable", "delete")
    ]
    assert copy.data("ledger", "verify")["ok"] is True


def test_the_apps_configuration_is_adapted_by_a_rule_and_says_which(copy: Copy, token: str) -> None:
    rule = {"key": "e2e-dark", "action": "set", "values": {"theme": "dark"}, "when": {"user_feature_0": "night"}}
    copy.data("rule", "create", written(copy, **rule), *WHY)

    def configured(feature: str) -> Any:
        body = {"surface": "home", "subject": "e2e-ruled", "context": {"user_feature_0": feature}}
        answer = copy.ask(token, "/v1/personalization/config", body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert until(lambda: configured("night")["config"]["theme"] == "dark", within_s=10.0)
    assert configured("night")["set_by"]["theme"]["rule"] == "e2e-dark"
    assert configured("day")["config"]["theme"] == "light"
