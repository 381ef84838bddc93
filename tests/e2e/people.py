"""People at the control API of a running copy, and the failing version that they let out."""

from typing import Any

import httpx

from tests.e2e.installation import Copy, until

REASON = "because it is tried out"
CARD = {
    "intended_use": "Shows what becomes of a version that fails.",
    "limits": "Its model does not exist; every decision of it falls back.",
    "owner": "tests",
}


class Person:
    """One person at the control API, who may do everything."""

    def __init__(self, copy: Copy, name: str) -> None:
        minted = copy.data("token", "create", "--name", name, "--principal", name, "--role", "admin")
        self._base = f"http://127.0.0.1:{copy.control}/control/v1"
        self._headers = {"Authorization": f"Bearer {minted['token']}"}

    def give(self, path: str, body: dict[str, Any], method: str = "POST") -> Any:
        order = {**body, "reason": REASON}
        answer = httpx.request(method, self._base + path, json=order, headers=self._headers, timeout=30.0)
        assert answer.is_success, answer.text
        return answer.json()

    def see(self, path: str) -> Any:
        return httpx.get(self._base + path, headers=self._headers, timeout=30.0).raise_for_status().json()


def failing_version(person: Person) -> int:
    """Draft a version of the policy ``home`` whose model does not exist, once nothing of it is on its way."""
    assert until(lambda: person.see("/policies/home")["stable"], within_s=60.0)
    if person.see("/policies/home")["rollout"]:
        person.give("/policies/home/rollback", {})
    drafted = person.see("/policies/home/versions/1")["document"]
    broken = {**drafted, "scorer": {"name": "gbdt", "parameters": {"model": "nowhere"}}}
    version: int = person.give("/policies/home/versions", {"document": broken})["after"]["version"]
    person.give(f"/policies/home/versions/{version}/card", {"card": CARD}, "PUT")
    return version


def let_out(author: Person, approver: Person, wanted: dict[str, Any]) -> Any:
    """Have a change of the policy ``home`` written by one person, approved by another and applied."""
    where = f"/changes/{author.give('/changes', wanted)['change_id']}"
    author.give(f"{where}/submit", {})
    approver.give(f"{where}/approve", {})
    return author.give(f"{where}/apply", {"confirm": "home"})
