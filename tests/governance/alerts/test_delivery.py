"""Messages hold what they must; they arrive at a real web server, mail server and chat; failures tell no secret."""

import base64
import email
import logging
from concurrent.futures import wait
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from governance.alerts import rounds
from governance.alerts.courier import AT_ONCE, PAUSES_S, Courier, Sender, require_known
from governance.alerts.destinations import parse
from governance.alerts.runbooks import RUNBOOKS
from governance.alerts.wording import FIELDS, Message, message
from storage import alerts, deliveries
from storage.database import Database
from storage.errors import Invalid
from storage.records.alerts import Alert, Delivery
from storage.records.clock import MINUTE, SECOND
from tests.governance.alarms import closed_port, firing, mailbox, webhook
from tests.governance.conftest import NOW, Clock

SENDER = Sender(dashboard="https://deck.test", environment="production")
BURN = {"left": -0.23, "burn": {"1 h": {"rate": 20.5, "bad": 41, "n": 2000}, "6 h": {"rate": None, "bad": 0, "n": 0}}}
BURNING = firing(
    name="slo",
    fingerprint="slo:availability",
    title="Availability: budget burns",
    slo="availability",
    top="route /v1/personalize: 41 of 41 bad ones",
    figures=BURN,
)


def test_a_message_holds_what_who_is_woken_needs() -> None:
    told = message(BURNING, "fired", dashboard="https://deck.test", environment="production")
    assert told.title == "[FIRING] production: Availability: budget burns"
    assert set(FIELDS) <= told.document.keys()
    for part in (
        "2.00 % of requests",
        "Since: 2025-10-09T08:52:20",
        "SLO: availability",
        "Burn: 20.5× over 1 h (n 2,000), nothing over 6 h; -23% of the budget left",
        "Differs most: route /v1/personalize: 41 of 41 bad ones",
        "Runbook: https://deck.test/alerts?runbook=slo",
        "Open: https://deck.test/alerts?alert=a-1",
        "Silence: https://deck.test/alerts?alert=a-1&do=silence",
    ):
        assert part in told.body, told.body
    tried = message(BURNING, "test", dashboard="", environment="production")
    assert tried.title.startswith("[TEST]") and "nothing is wrong" in tried.body and tried.document["test"]
    over = firing(resolved_at=NOW, resolved_by="olga", resolved_why="it was the disk")
    assert "Over: it was the disk" in message(over, "resolved", dashboard="", environment="p").body


def test_an_alert_without_an_objective_says_so() -> None:
    told = message(firing(), "fired", dashboard="", environment="p").document
    assert (told["slo"], told["burn"], told["top"]) == ("none", "no objective concerned", "nothing stands out")
    assert "runbook=unknown" in message(firing(name="new"), "fired", dashboard="", environment="p").body


def post(database: Database, alert: Alert, text: str, *, occasion: Any = "fired") -> tuple[Courier, Clock]:
    clock, known = Clock(), parse(text)
    with database.write() as write:
        alerts.save(write, alert)
        rounds.enqueue(write, alert, occasion, known, now=NOW)
    return Courier(database, known, SENDER, now=clock), clock


def finish(courier: Courier) -> int:
    begun = courier.look()
    assert not wait(begun, 30).not_done
    return len(begun)


def states(database: Database) -> list[Delivery]:
    with database.read() as read:
        return deliveries.recent(read, since=0)


def test_a_webhook_gets_words_and_fields(database: Database) -> None:
    with webhook() as server:
        courier, _ = post(database, BURNING, f"ops=json://127.0.0.1:{server.port}/hook/secret-path")
        assert finish(courier) == 1 and courier.look() == []
        ((path, body),) = server.got
    assert path.startswith("/hook/secret-path")
    assert body["title"].startswith("[FIRING] production") and "Differs most" in body["message"]
    assert (body["fingerprint"], body["slo"], body["severity"]) == ("slo:availability", "availability", "page")
    assert body["silence"].endswith("alert=a-1&do=silence")
    (done,) = states(database)
    assert (done.state, done.attempts, done.trouble) == ("delivered", 1, "")


def test_a_letter_arrives(sqlite_database: Database) -> None:
    with mailbox() as server:
        address = f"mailto://127.0.0.1:{server.port}/?from=fairlead@deck.test&to=olga@deck.test&mode=insecure"
        courier, _ = post(sqlite_database, BURNING, f"mail={address}")
        finish(courier)
        (letter,) = server.letters
    parsed = email.message_from_string(letter)
    texts = [
        part.get_payload(decode=True).decode()  # type: ignore[union-attr]  # a text part holds bytes
        for part in parsed.walk()
        if part.get_content_maintype() == "text"
    ]
    assert "olga@deck.test" in parsed["To"]
    subject = parsed["Subject"]
    if subject.startswith("=?utf-8?b?"):
        subject = base64.b64decode(subject[10:-2]).decode()
    assert "FIRING" in subject
    assert any("Runbook: https://deck.test/alerts?runbook=slo" in text for text in texts), texts
    assert [one.state for one in states(sqlite_database)] == ["delivered"]


def test_a_chat_gets_it(sqlite_database: Database) -> None:
    with webhook() as server:
        courier, _ = post(sqlite_database, BURNING, f"chat=mmost://127.0.0.1:{server.port}/abcdefghijklmnopqrstuvwx")
        finish(courier)
        ((path, body),) = server.got
    assert path == "/hooks/abcdefghijklmnopqrstuvwx" and "Availability: budget burns" in body["text"]


def test_what_fails_is_tried_again_then_given_up_and_never_tells_its_address(
    sqlite_database: Database, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "hush-hush-token"
    with webhook(status=500) as server:
        text = (
            f"ops=json://olga:{secret}@127.0.0.1:{server.port}/{secret} gone=json://127.0.0.1:{closed_port()}/{secret}"
        )
        courier, clock = post(sqlite_database, firing(), text)
        for attempt in range(1, len(PAUSES_S) + 2):
            assert finish(courier) == 2, attempt
            assert courier.look() == []
            clock.at += PAUSES_S[min(attempt, len(PAUSES_S)) - 1] * SECOND
        assert len(server.got) == len(PAUSES_S) + 1
    found = states(sqlite_database)
    assert {(one.state, one.attempts) for one in found} == {("failed", len(PAUSES_S) + 1)}
    said = capsys.readouterr()
    told = caplog.text + said.out + said.err + repr(found) + repr(parse(text))
    assert secret not in told and "did not take it" in told


def test_a_server_that_comes_back_gets_it(sqlite_database: Database) -> None:
    with webhook(status=503) as server:
        courier, clock = post(sqlite_database, firing(), f"ops=json://127.0.0.1:{server.port}/")
        finish(courier)
        server.status = 204
        clock.at += PAUSES_S[0] * SECOND
        finish(courier)
    (done,) = states(sqlite_database)
    assert (done.state, done.attempts) == ("delivered", 2)


def test_what_was_taken_and_never_done_is_taken_again(sqlite_database: Database) -> None:
    with webhook() as server:
        courier, clock = post(sqlite_database, firing(), f"ops=json://127.0.0.1:{server.port}/")
        with sqlite_database.write() as write:  # somebody took it and died
            deliveries.claim(write, now=NOW, until=NOW + 2 * MINUTE, most=9)
        assert courier.look() == []
        clock.at += 2 * MINUTE
        assert finish(courier) == 1 and len(server.got) == 1


def test_no_more_is_taken_than_can_be_sent_at_once_so_that_nothing_is_sent_twice(sqlite_database: Database) -> None:
    told, gate, clock = [], Event(), Clock()

    def slow(_destination: object, message: Message, _good: bool) -> bool:
        told.append(message.document["alert_id"])
        return gate.wait(30)

    known = parse("ops=json://h/")
    with sqlite_database.write() as write:
        for number in range(AT_ONCE + 5):
            alerts.save(write, firing(alert_id=f"a-{number}"))
            rounds.enqueue(write, firing(alert_id=f"a-{number}"), "fired", known, now=NOW)
    courier = Courier(sqlite_database, known, SENDER, now=clock, send=slow)
    first = courier.look()
    clock.at += SECOND
    assert len(first) == AT_ONCE and courier.look() == []
    gate.set()
    assert not wait(first, 30).not_done
    assert finish(courier) == 5 and courier.look() == []
    assert sorted(told) == sorted(f"a-{number}" for number in range(AT_ONCE + 5))
    assert {(one.state, one.attempts) for one in states(sqlite_database)} == {("delivered", 1)}


def test_a_bug_of_the_library_is_noted_without_its_words(sqlite_database: Database) -> None:
    def broken(*_: object) -> bool:
        raise RuntimeError("json://olga:hush@somewhere")

    with sqlite_database.write() as write:
        alerts.save(write, firing())
        rounds.enqueue(write, firing(), "fired", parse("ops=json://h/"), now=NOW)
    courier = Courier(sqlite_database, parse("ops=json://h/"), SENDER, now=Clock(), send=broken)
    finish(courier)
    (one,) = states(sqlite_database)
    assert one.trouble == "it ended with RuntimeError" and one.state == "pending"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("json://hush/", "destination 1 cannot be read"),
        ("a=json://h/ =json://hush/", "destination 2 cannot be read"),
        ("a/nobody=json://hush/", "unknown audience"),
        ("a=json://h/ a=json://hush/", "a name that is taken"),
    ],
)
def test_a_setting_that_cannot_be_read_is_refused_by_place(text: str, says: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse(text)
    assert says in str(refusal.value) and "hush" not in str(refusal.value)
    assert refusal.value.problems[0].field == "alert_destinations"


def test_an_address_that_nobody_knows_is_refused_by_name() -> None:
    require_known(parse("a=json://h/ b=mailtos://u:p@h.test"))
    with pytest.raises(Invalid, match="b: not an address") as refusal:
        require_known(parse("a=json://h/ b=nothing://hush"))
    assert "hush" not in str(refusal.value)


def test_every_kind_has_its_runbook_and_the_guide_holds_them() -> None:
    from governance.alerts.kinds import KINDS
    from governance.alerts.runbooks import guide
    from governance.checks.roster import CHECKS

    assert {check.name for check in CHECKS} | {"slo", "deadman"} == set(KINDS) == set(RUNBOOKS) - {"unknown"}
    page = Path(__file__).resolve().parents[3] / "docs" / "guide" / "runbooks.md"
    assert page.read_text("utf-8") == guide()
