"""Rounds on both databases: fire once, stay, come back, end; who is told when; not knowing is no good news."""

from dataclasses import replace
from typing import Any

import pytest

from governance.alerts import life, rounds
from governance.alerts.desk import longest
from governance.alerts.destinations import parse
from governance.alerts.kinds import KINDS, RIGHTS
from governance.alerts.objectives import standings
from governance.alerts.readings import Reading, of_check, of_slo
from storage import alerts, deliveries, verdicts
from storage.database import Database
from storage.errors import Unavailable
from storage.records.alerts import Silence
from storage.records.clock import HOUR, MINUTE, SECOND
from storage.records.findings import Verdict
from storage.records.verdicts import CheckVerdict
from tests.governance.conftest import NOW

DESK = parse("desk=json://h/ shop/campaigns=json://h/")


def said(word: Verdict, at: int, *, check: str = "errors", since: int | None = None) -> CheckVerdict:
    sentence = f"It is {word}."
    return CheckVerdict(check=check, since=since or at, seen=at, verdict=word, sentence=sentence)


def of(word: str, at: int, **more: Any) -> Reading:
    return of_check(said(word, at, **more), every_us=MINUTE, now=at)


def go(database: Database, *found: Reading, now: int) -> rounds.Told:
    with database.write() as write:
        return rounds.judge(write, found, DESK, now=now, mine=lambda key: key.startswith(("check:", "slo:")))


def sent(database: Database) -> list[tuple[str, str]]:
    with database.read() as read:
        return [(one.destination, one.occasion) for one in reversed(deliveries.recent(read, since=0))]


def test_it_fires_once_stays_and_is_over_after_a_while(database: Database) -> None:
    (fired,) = go(database, of("fail", NOW), now=NOW).fired
    assert (fired.name, fired.severity, fired.since) == ("errors", "page", NOW)
    for step in range(1, 4):
        assert go(database, of("fail", NOW + step * MINUTE), now=NOW + step * MINUTE).fired == ()
    last = NOW + 3 * MINUTE
    assert go(database, of("pass", last + 30 * SECOND), now=last + 30 * SECOND).resolved == ()
    (over,) = go(database, of("pass", last + MINUTE), now=last + MINUTE).resolved
    assert over.resolved_by == "system" and "well" in over.resolved_why
    assert sent(database) == [("desk", "fired"), ("desk", "resolved")]


def test_what_comes_back_at_once_is_the_same_one(database: Database) -> None:
    go(database, of("fail", NOW), now=NOW)
    go(database, of("pass", NOW + 2 * MINUTE), now=NOW + 2 * MINUTE)
    (again,) = go(database, of("fail", NOW + 5 * MINUTE), now=NOW + 5 * MINUTE).fired
    assert again.fires == 2 and again.resolved_at is None
    go(database, of("pass", NOW + 9 * MINUTE), now=NOW + 9 * MINUTE)
    (other,) = go(database, of("fail", NOW + 30 * MINUTE), now=NOW + 30 * MINUTE).fired
    assert other.fires == 1 and other.alert_id != again.alert_id
    assert [occasion for _, occasion in sent(database)] == ["fired", "resolved", "fired", "resolved", "fired"]


def test_not_knowing_is_no_good_news(database: Database) -> None:
    go(database, of("fail", NOW), now=NOW)
    for step in (1, 10, 59):
        at = NOW + step * MINUTE
        assert go(database, of("unknown", at), now=at).resolved == ()
    (over,) = go(database, of("unknown", NOW + HOUR), now=NOW + HOUR).resolved
    assert "nobody can tell" in over.resolved_why


def test_a_verdict_that_is_old_says_nothing(database: Database) -> None:
    assert of_check(said("fail", NOW), every_us=MINUTE, now=NOW + 6 * MINUTE).state == "unknown"
    assert of_check(said("pass", NOW), every_us=MINUTE, now=NOW + 6 * MINUTE).state == "unknown"
    assert of_check(said("fail", NOW), every_us=10 * MINUTE, now=NOW + 6 * MINUTE).state == "bad"


def test_some_look_for_a_while_before_they_fire() -> None:
    assert of("fail", NOW, check="latency").state == "unknown"
    assert of("fail", NOW, check="latency", since=NOW - MINUTE).state == "bad"
    assert (of("warn", NOW).state, of("warn", NOW, check="ctr").state) == ("good", "bad")
    assert of("warn", NOW, check="ctr").severity == "look"


def test_a_budget_of_consent_is_silenced_for_an_hour_at_most_as_a_check_of_it_is(database: Database) -> None:
    with database.read() as read:
        found = {one.slo: one for one in (of_slo(each, now=NOW) for each in standings(read, now=NOW))}
    told = {name: life.begin(one, alert_id=name, top="", now=NOW) for name, one in found.items()}
    assert {name for name, one in told.items() if longest(one) == HOUR} == {"consent"}
    rights = {kind.name for kind in KINDS.values() if kind.cause == RIGHTS}
    assert rights == {"consent", "ledger", "requests"}


def test_a_silence_holds_back_what_is_sent_and_nothing_else(database: Database) -> None:
    hush = Silence(
        silence_id="s", fingerprint="check:errors", since=NOW, until=NOW + 10 * MINUTE, by="olga", reason="known"
    )
    with database.write() as write:
        alerts.silence(write, hush)
    go(database, of("fail", NOW), now=NOW)
    go(database, of("fail", NOW + 9 * MINUTE), now=NOW + 9 * MINUTE)
    assert sent(database) == []
    go(database, of("fail", NOW + 10 * MINUTE), now=NOW + 10 * MINUTE)
    go(database, of("fail", NOW + 11 * MINUTE), now=NOW + 11 * MINUTE)
    assert sent(database) == [("desk", "fired")]


def test_a_silence_of_what_was_told_ends_with_a_reminder(database: Database) -> None:
    go(database, of("fail", NOW), now=NOW)
    with database.write() as write:
        hush = Silence(
            silence_id="s",
            fingerprint="check:errors",
            since=NOW + SECOND,
            until=NOW + 5 * MINUTE,
            by="olga",
            reason="known",
        )
        alerts.silence(write, hush)
    for step in range(1, 8):
        go(database, of("fail", NOW + step * MINUTE), now=NOW + step * MINUTE)
    assert sent(database) == [("desk", "fired"), ("desk", "fired")]


def test_what_becomes_graver_is_told_again_though_acknowledged(database: Database) -> None:
    (fired,) = go(database, of("warn", NOW, check="caps"), now=NOW).fired
    with database.write() as write:
        alerts.save(write, replace(fired, acked_at=NOW, acked_by="olga", acked_why="I look"))
    go(database, of("fail", NOW + MINUTE, check="caps"), now=NOW + MINUTE)
    with database.read() as read:
        (now,) = alerts.unresolved(read)
    assert (now.severity, now.acked_at) == ("page", None)
    assert sent(database) == [("desk", "fired"), ("desk", "fired")]


def test_what_comes_back_graver_is_told_though_it_was_acknowledged(database: Database) -> None:
    (fired,) = go(database, of("warn", NOW, check="caps"), now=NOW).fired
    with database.write() as write:
        alerts.save(write, replace(fired, acked_at=NOW, acked_by="olga", acked_why="I look"))
    go(database, of("pass", NOW + 2 * MINUTE, check="caps"), now=NOW + 2 * MINUTE)
    (again,) = go(database, of("fail", NOW + 5 * MINUTE, check="caps"), now=NOW + 5 * MINUTE).fired
    assert (again.alert_id, again.severity, again.acked_at) == (fired.alert_id, "page", None)
    assert [occasion for _, occasion in sent(database)] == ["fired", "resolved", "fired"]


def test_each_audience_is_told_where_it_listens(database: Database) -> None:
    go(database, of("fail", NOW, check="ctr"), now=NOW)
    assert sorted(sent(database)) == [("desk", "fired"), ("shop", "fired")]


def test_a_round_reads_what_checks_said_and_a_former_leader_does_nothing(database: Database) -> None:
    with database.write() as write:
        verdicts.record(write, said("fail", NOW))

    def guard(_read: object) -> None:
        raise Unavailable("another instance leads")

    with pytest.raises(Unavailable):
        rounds.look(database, DESK, now=NOW, guard=guard)
    with database.read() as read:
        assert alerts.unresolved(read) == []
    (fired,) = rounds.look(database, DESK, now=NOW).fired
    assert fired.fingerprint == "check:errors"
