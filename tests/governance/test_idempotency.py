"""A command that its caller names is done once: on repeats, among twins, and after a crash; on both databases."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from governance.api.app import create_app
from governance.api.context import ControlContext
from governance.control import Control
from storage import idempotency, ledger, tokens
from storage.database import Database
from storage.errors import Conflict
from storage.keys import Keys
from storage.lake import Lake

from .conftest import NOW, REASON, Clock, warrant
from .served import People, Person, serving

KEY = {"idempotency-key": "5b1c1c3e-8a55-4d0e-9a3d-0a1b2c3d4e5f"}
CAMPAIGN = {"campaign": {"key": "sale", "name": "Sale", "surfaces": ["home"]}, "reason": REASON}
TOKEN = {"name": "t", "principal": "tom", "role": "marketer", "reason": REASON}


@pytest.fixture
def people_on(database: Database, build: Callable[..., Control], keys: Keys, home: Path) -> Iterator[People]:
    """People before a control API on either database."""
    control = build(database)
    context = ControlContext(
        control=control,
        database=database,
        keys=keys,
        home=home,
        environment="test",
        solo=False,
        lake=Lake(home / "lake"),
    )
    with serving(create_app(context)) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        yield People(control, client)


@pytest.fixture
def anna(people_on: People) -> Person:
    return people_on("anna")


def entries(database: Database, action: str) -> int:
    with database.read() as read:
        return len(ledger.entries(read, action=action, limit=500))


def test_a_repeat_is_answered_alike_and_done_once(anna: Person, database: Database) -> None:
    first = anna.post("/campaigns", json=CAMPAIGN, headers=KEY)
    again = anna.post("/campaigns", json=CAMPAIGN, headers=KEY)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content and first.headers["etag"] == again.headers["etag"]
    assert "idempotency-replayed" not in first.headers and again.headers["idempotency-replayed"] == "true"
    assert entries(database, "campaign.create") == 1


def test_without_a_key_the_second_is_refused_by_the_state_alone(anna: Person) -> None:
    assert anna.post("/campaigns", json=CAMPAIGN).status_code == 201
    assert anna.post("/campaigns", json=CAMPAIGN).status_code == 409


def test_a_key_of_another_command_is_refused(anna: Person, database: Database) -> None:
    assert anna.post("/campaigns", json=CAMPAIGN, headers=KEY).status_code == 201
    other = {**CAMPAIGN, "campaign": {**CAMPAIGN["campaign"], "key": "other"}}  # type: ignore[dict-item]  # a document
    for refused in (
        anna.post("/campaigns", json=other, headers=KEY),
        anna.post("/campaigns/sale/start", json={"reason": REASON}, headers=KEY),
    ):
        assert refused.status_code == 422 and refused.json()["problems"][0]["field"] == "Idempotency-Key"
    assert entries(database, "campaign.create") == 1 and entries(database, "campaign.start") == 0


def test_the_key_of_one_person_says_nothing_of_anothers(people_on: People, anna: Person, database: Database) -> None:
    assert anna.post("/tokens", json=TOKEN, headers=KEY).status_code == 201
    other = people_on("bert").post("/tokens", json=TOKEN, headers=KEY)
    assert other.status_code == 201 and "idempotency-replayed" not in other.headers


def test_a_refused_command_leaves_its_key_free(anna: Person) -> None:
    short = {**CAMPAIGN, "reason": "short"}
    assert anna.post("/campaigns", json=short, headers=KEY).status_code == 422
    assert anna.post("/campaigns", json=CAMPAIGN, headers=KEY).status_code == 201


@pytest.mark.parametrize("key", ["1", "", "x" * 129, "tab\tinside-the-key-"])
def test_a_key_that_others_could_guess_is_refused(anna: Person, key: str) -> None:
    refused = anna.post("/campaigns", json=CAMPAIGN, headers={"idempotency-key": key})
    assert refused.status_code == 422 and "UUID" in refused.json()["detail"]


def test_twins_make_one_token(anna: Person, database: Database) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: anna.post("/tokens", json=TOKEN, headers=KEY), range(12)))
    made = [answer for answer in answers if answer.status_code == 201]
    assert made and {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["token"] for answer in made}) == 1
    with database.read() as read:
        assert sum(token.principal == "tom" for token in tokens.listed(read)) == 1
    assert anna.post("/tokens", json=TOKEN, headers=KEY).json() == made[0].json()


def test_what_is_kept_of_an_answer_is_sealed(anna: Person, sqlite_database: Database) -> None:
    text = anna.post("/tokens", json=TOKEN, headers=KEY).json()["token"]
    path = Path(str(sqlite_database.url.database))
    held = b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))
    assert text.encode() not in held and KEY["idempotency-key"].encode() not in held


@pytest.fixture
def one() -> idempotency.Attempt:
    return idempotency.attempt("0123456789abcdef", caller="anna", request=b"pause men")


def begin(database: Database, one: idempotency.Attempt, now: int) -> tuple[int, bytes] | None:
    with database.write() as write:
        return idempotency.begin(write, one, now)


def test_an_attempt_whose_process_ended_may_be_made_again(database: Database, one: idempotency.Attempt) -> None:
    assert begin(database, one, NOW) is None
    second = replace(one, turn="second")
    with pytest.raises(Conflict, match="is being carried out"):
        begin(database, second, NOW + idempotency.ABANDONED - 1)
    assert begin(database, second, NOW + idempotency.ABANDONED) is None
    with pytest.raises(Conflict, match="took its turn"), database.write() as write:
        idempotency.claim(write, one)
    with database.write() as write:
        idempotency.claim(write, second)
    with database.write() as write:
        idempotency.release(write, second)
    with pytest.raises(Conflict, match="was carried out"):
        begin(database, replace(one, turn="third"), NOW + 2 * idempotency.ABANDONED)


def test_an_effect_and_its_name_are_one_transaction(
    database: Database, build: Callable[..., Control], one: idempotency.Attempt, clock: Clock
) -> None:
    control = build(database)
    assert begin(database, one, clock.at) is None
    control.do("campaign.pause", "men", {}, replace(warrant(), attempt=one))
    with pytest.raises(Conflict, match="took its turn"):
        control.do("campaign.resume", "men", {}, replace(warrant(), attempt=replace(one, turn="stale")))
    assert entries(database, "campaign.pause") == 1
    with pytest.raises(Conflict, match="was carried out"):
        begin(database, replace(one, turn="next"), clock.at + idempotency.ABANDONED)
    assert begin(database, replace(one, turn="next"), clock.at + idempotency.KEPT_FOR + 1) is None
