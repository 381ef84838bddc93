"""One change, one entry, one transaction: no mutating route without its entry, no entry without its change."""

import sqlite3
from typing import Any

import pytest

from governance.api.app import create_app
from governance.api.context import ControlContext
from governance.control import Control
from storage import alerts, ledger, revisions
from storage.database import Database
from storage.errors import FairleadError
from storage.records.consent import Purpose

from .alarms import firing
from .conftest import warrant
from .entry_counter import Counter
from .served import People
from .story import CAMPAIGN, ROLLOUT, WHY, story

ELSEWHERE = {
    "PUT /models/{key}/versions/{version}/card",
    "PUT /consents/platforms/{name}",
    "PUT /settings",
    "POST /rollouts",
    "POST /rollouts/preview",
    "POST /rollouts/{rollout_id}/let-go",
    "POST /models/{name}/promote",
    "POST /models/{name}/rollback",
    "POST /policies/{key}/validate",
    "POST /rules/validate",
    "POST /analytics/person",
    "POST /experiments/reveal",
    "POST /system/dead-letters/requeue",
    "POST /caps/validate",
    "POST /toggles/validate",
    "POST /toggles/{key}/try",
    "DELETE /caps/{key}",
    "DELETE /fairness/plans/{key}",
    "PUT /drafts/{form}",
    "DELETE /drafts/{form}",
}
"""Told in their own tests; those that validate write nothing, and a draft is no control state."""


def test_every_mutating_route_has_its_entry(people: People, sqlite_database: Database, context: ControlContext) -> None:
    counter = Counter(sqlite_database)
    told, anna, bert = set(), people("anna"), people("bert")
    with sqlite_database.write() as write:
        alerts.save(write, firing())
    before = counter.entries()
    for route, answer in story(anna, bert, people.client):
        assert answer.is_success, (route, answer.text)
        told.add(route)
        with sqlite_database.read() as read:
            last = ledger.entries(read, limit=1)[0]
        assert last.seq >= before + 1 and last.result == "applied", route
        before = last.seq
    declared = {
        f"{method.upper()} {path.removeprefix('/control/v1')}"
        for path, methods in create_app(context).openapi()["paths"].items()
        for method in methods
        if path.startswith("/control/v1") and method not in {"get", "head"}
    }
    assert told | ELSEWHERE == declared


def test_each_command_is_one_entry(people: People, sqlite_database: Database) -> None:
    counter, anna = Counter(sqlite_database), people("anna")
    for path, body in (
        ("/campaigns", {"campaign": CAMPAIGN, **WHY}),
        ("/policies/home/versions", {"document": {"surface": "home"}, **WHY}),
        ("/changes", ROLLOUT),
        ("/consents/opt-out", {"subject": "u", "purpose": "tracking", **WHY}),
        ("/jobs", {"name": "drift", **WHY}),
        ("/kill", {"on": True, **WHY}),
    ):
        before, state = counter.entries(), counter.state()
        assert anna.post(path, json=body).is_success, path
        assert counter.entries() == before + 1 and counter.state() != state, path


def test_refused_commands_change_nothing_but_the_ledger(people: People, sqlite_database: Database) -> None:
    counter, mary = Counter(sqlite_database), people("mary", "marketer")
    olga = people("olga", "ops")
    state = counter.state()
    for by, path, body in (
        (mary, "/kill", {"on": True, **WHY}),
        (mary, "/policies/home/rollback", WHY),
        (mary, "/consents/opt-out", {"subject": "u", "purpose": "tracking", **WHY}),
        (olga, "/policies/home/rollout", {"version": 2, "percent": 100, "confirm": "home", **WHY}),
        (olga, "/policies/home/rollback", WHY),
        (olga, "/campaigns/men/resume", WHY),
    ):
        before = counter.entries()
        assert by.post(path, json=body).status_code in {403, 409}
        assert counter.entries() == before + 1 and counter.state() == state, path


def test_where_the_ledger_cannot_be_written_nothing_is(control: Control, sqlite_database: Database) -> None:
    counter = Counter(sqlite_database)
    with sqlite3.connect(str(sqlite_database.url.database)) as connection:
        connection.execute(
            "CREATE TRIGGER jam BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'the audit sink is broken'); END"
        )
    state, entries = counter.state(), counter.entries()
    commands: list[Any] = [
        lambda: control.do("campaign.pause", "men", {}, warrant()),
        lambda: control.do("kill.on", "kill_switch", {}, warrant()),
        lambda: control.opt_out("u-1", Purpose.TRACKING, warrant()),
        lambda: control.propose("policy.rollout", "home", {"version": 2, "percent": 50}, warrant()),
        lambda: control.request_job("drift", {}, warrant()),
        lambda: control.once(warrant()),
        lambda: control.do("campaign.pause", "men", {}, warrant("dora", "data_scientist")),
    ]
    for command in commands:
        with pytest.raises(FairleadError):
            command()
    assert counter.state() == state and counter.entries() == entries
    with sqlite_database.read() as read:
        assert revisions.number(read) == 1
