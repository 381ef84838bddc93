"""Half-filled forms: each person's own, few, small, and not for long; on both databases."""

import pytest

from storage import drafts
from storage.database import Database
from storage.errors import Invalid

NOW = 1_760_000_000_000_000


def save(database: Database, person: str, form: str, now: int = NOW, **values: object) -> drafts.Draft:
    with database.write() as write:
        return drafts.save(write, person, form, values, now=now)


def forms(database: Database, person: str) -> list[str]:
    with database.read() as read:
        return [one.form for one in drafts.listed(read, person)]


def test_a_draft_is_what_was_filled_in_last_and_keeps_its_name(database: Database) -> None:
    first = save(database, "anna", "rule-new", name="Lift")
    second = save(database, "anna", "rule-new", now=NOW + 1, name="Lift more", days=[0, 4])
    assert first.idempotency_key == second.idempotency_key
    with database.read() as read:
        assert drafts.find(read, "anna", "rule-new") == second
        assert drafts.find(read, "bert", "rule-new") is None
    with database.write() as write:
        drafts.remove(write, "anna", "rule-new")
    assert forms(database, "anna") == []
    assert save(database, "anna", "rule-new").idempotency_key != first.idempotency_key


def test_the_oldest_gives_way_and_nobody_elses_does(database: Database) -> None:
    save(database, "bert", "mine")
    for number in range(drafts.MOST + 2):
        save(database, "anna", f"form-{number}", now=NOW + number)
    assert forms(database, "anna") == [f"form-{number}" for number in reversed(range(2, drafts.MOST + 2))]
    assert forms(database, "bert") == ["mine"]


def test_what_is_old_is_forgotten(database: Database) -> None:
    save(database, "anna", "old")
    save(database, "bert", "new", now=NOW + drafts.KEPT_FOR + 1)
    assert forms(database, "anna") == [] and forms(database, "bert") == ["new"]


def test_more_than_a_form_can_hold_is_refused(database: Database) -> None:
    with pytest.raises(Invalid, match="may hold"):
        save(database, "anna", "big", text="x" * drafts.LARGEST)
    assert forms(database, "anna") == []
