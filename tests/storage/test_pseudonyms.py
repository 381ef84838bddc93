"""Pseudonyms: stable while the salt lives, gone for good without it."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from storage.database import Database
from storage.pseudonyms import Salts, lookup, pseudonym

KEY = b"k" * 32


@given(raw=st.text(st.characters(categories=None)), other=st.text(st.characters(categories=None)))
def test_any_text_has_a_pseudonym_of_its_own(raw: str, other: str) -> None:
    assert len(pseudonym(raw, b"salt")) == 32
    assert (pseudonym(raw, b"salt") == pseudonym(other, b"salt")) == (raw == other)
    assert (lookup(raw, KEY) == lookup(other, KEY)) == (raw == other)
    assert lookup(raw, KEY) != lookup(raw, b"another key")


def test_a_raw_id_keeps_its_pseudonym(database: Database) -> None:
    salts = Salts(database, KEY, now=lambda: 5)
    assert salts.find("u-1") is None
    assert salts.resolve([]) == {}
    first = salts.resolve(["u-1", "u-2", "u-1"])
    assert list(first) == ["u-1", "u-2"]
    assert len(set(first.values())) == 2
    assert Salts(database, KEY).resolve(["u-2", "u-3", "u-1"]) | first == {
        **first,
        "u-3": Salts(database, KEY).find("u-3"),
    }
    assert salts.find("u-1") == first["u-1"]
    assert Salts(database, b"another key").find("u-1") is None


def test_many_at_once(database: Database) -> None:
    raws = [f"u-{i}" for i in range(1_201)]
    salts = Salts(database, KEY)
    assert salts.resolve(raws) == salts.resolve(raws[::-1])
    assert len(set(salts.resolve(raws).values())) == len(raws)


def test_no_raw_id_is_stored_and_deleting_the_salt_breaks_the_link(database: Database) -> None:
    salts = Salts(database, KEY)
    before = salts.resolve(["ada@example.org"])
    with database.write() as write:
        rows = write.execute(text("SELECT lookup, salt FROM subject_salts")).all()
        assert all(b"ada" not in bytes(salt) and "ada" not in name for name, salt in rows)
        write.execute(text("DELETE FROM subject_salts"))
    assert salts.find("ada@example.org") is None
    assert salts.resolve(["ada@example.org"]) != before


def test_replicas_that_meet_a_subject_at_once_agree(database: Database) -> None:
    raws = [f"u-{i}" for i in range(60)]
    orders = [raws, raws[::-1], raws[30:] + raws[:30], raws[::2] + raws[1::2]]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda order: Salts(database, KEY).resolve(order), orders))
    assert all(answer == answers[0] for answer in answers)
