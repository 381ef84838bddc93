"""The ledger shows every change to it: edit, delete, swap, truncate, re-chain (R17, R18), on both databases."""

import contextlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from storage import ledger
from storage.anchors import Anchors
from storage.database import Database, Write
from storage.keys import Keys

from .chained import ANCHORED, SIZE, Undo, add

Attack = Callable[[Write], None]


def after(database: Database, attack: Attack, keys: Keys, anchors: Anchors) -> ledger.Verification:
    """Verify what an attack leaves behind, then take the attack back."""
    with contextlib.suppress(Undo), database.write() as write:
        attack(write)
        found = ledger.verify(write, keys=keys, anchors=anchors)
        raise Undo
    return found


_seqs = st.integers(1, SIZE)
_columns = st.sampled_from(["at", "actor", "action", "object_kind", "object_key", "result", "body", "previous", "hash"])
_examples = settings(max_examples=300)


@_examples
@given(seq=_seqs, column=_columns, place=st.integers(0, 2_000), bit=st.integers(0, 7))
def test_every_edit_is_found_and_named(
    filled: Database, keys: Keys, anchors: Anchors, seq: int, column: str, place: int, bit: int
) -> None:
    def edit(write: Write) -> None:
        query = text(f"SELECT {column} FROM ledger WHERE seq = :seq")
        old = write.execute(query, {"seq": seq}).scalar_one()
        new: Any
        if isinstance(old, int):
            new = old ^ (1 << bit)
        elif isinstance(old, str):
            new = old[: place % len(old)] + chr(ord(old[place % len(old)]) ^ 1) + old[place % len(old) + 1 :]
        else:
            body = bytearray(old)
            body[place % len(body)] ^= 1 << bit
            new = bytes(body)
        write.execute(text(f"UPDATE ledger SET {column} = :new WHERE seq = :seq"), {"new": new, "seq": seq})

    found = after(filled, edit, keys, anchors)
    assert (found.ok, found.first_bad, found.entries) == (False, seq, seq - 1)


@_examples
@given(seqs=st.sets(_seqs, min_size=1))
def test_every_deletion_is_found_and_named(filled: Database, keys: Keys, anchors: Anchors, seqs: set[int]) -> None:
    def delete(write: Write) -> None:
        for seq in seqs:
            write.execute(text("DELETE FROM ledger WHERE seq = :seq"), {"seq": seq})

    found = after(filled, delete, keys, anchors)
    assert (found.ok, found.first_bad) == (False, min(seqs))


@_examples
@given(pair=st.lists(_seqs, min_size=2, max_size=2, unique=True))
def test_every_swap_is_found_and_named(filled: Database, keys: Keys, anchors: Anchors, pair: list[int]) -> None:
    def swap(write: Write) -> None:
        for old, new in ((pair[0], -1), (pair[1], pair[0]), (-1, pair[1])):
            write.execute(text("UPDATE ledger SET seq = :new WHERE seq = :old"), {"new": new, "old": old})

    found = after(filled, swap, keys, anchors)
    assert (found.ok, found.first_bad) == (False, min(pair))


@_examples
@given(seq=st.integers(1, SIZE + 1), twin=_seqs, shift=st.booleans())
def test_every_insertion_is_found_and_named(
    filled: Database, keys: Keys, anchors: Anchors, seq: int, twin: int, shift: bool
) -> None:
    def insert(write: Write) -> None:
        if shift:
            for old in range(SIZE, seq - 1, -1):
                write.execute(text("UPDATE ledger SET seq = :new WHERE seq = :old"), {"new": old + 1, "old": old})
        write.execute(
            text(
                "INSERT INTO ledger (seq, at, actor, action, object_kind, object_key, result, body, previous, hash) "
                "SELECT :seq, at, actor, action, object_kind, object_key, result, body, previous, hash "
                "FROM ledger WHERE seq = :twin"
            ),
            {"seq": seq if shift else SIZE + 1, "twin": twin + 1 if shift and twin >= seq else twin},
        )

    found = after(filled, insert, keys, anchors)
    first = SIZE + 1 if not shift else seq + 1 if seq == twin else seq
    assert (found.ok, found.first_bad) == (False, first)


def truncate(write: Write, above: int) -> None:
    write.execute(text("DELETE FROM ledger WHERE seq > :above"), {"above": above})
    write.execute(text("UPDATE counters SET value = :above WHERE name = 'ledger'"), {"above": above})


@_examples
@given(above=st.integers(0, max(ANCHORED) - 1))
def test_cutting_off_what_an_anchor_saw_is_found(filled: Database, keys: Keys, anchors: Anchors, above: int) -> None:
    found = after(filled, lambda write: truncate(write, above), keys, anchors)
    assert (found.ok, found.first_bad, found.entries) == (False, above + 1, above)


def rechain(write: Write, keys: Keys, start: int) -> None:
    """What somebody with the chain's key and the database could do: change an entry and compute all hashes anew."""
    truncate(write, start - 1)
    for number in range(start, SIZE + 1):
        add(write, keys, number, **({"actor": "somebody else"} if number == start else {}))


@_examples
@given(start=st.integers(1, max(ANCHORED)))
def test_computing_the_chain_anew_is_found(filled: Database, keys: Keys, anchors: Anchors, start: int) -> None:
    found = after(filled, lambda write: rechain(write, keys, start), keys, anchors)
    good = max([seq for seq in ANCHORED if seq < start], default=0)
    assert (found.ok, found.first_bad, found.anchored_to) == (False, good + 1, good)
    assert "recomputed" in found.reason


def test_what_no_anchor_saw_is_not_claimed(filled: Database, keys: Keys, anchors: Anchors) -> None:
    """The limit that is stated openly: past the last anchor a holder of the key can rewrite; the answer says so."""
    for attack in (lambda write: truncate(write, 8), lambda write: rechain(write, keys, 9)):
        found = after(filled, attack, keys, anchors)
        assert (found.ok, found.anchored_to) == (True, 8)


def test_a_chain_made_with_another_key_is_found(filled: Database, keys: Keys, anchors: Anchors, tmp_path: Path) -> None:
    other = Keys.open(tmp_path / "other")
    found = after(filled, lambda write: rechain(write, other, 10), keys, anchors)
    assert (found.ok, found.first_bad) == (False, 10)


def test_damaged_anchors_are_a_finding(filled: Database, keys: Keys, anchors: Anchors) -> None:
    anchors.path.write_bytes(anchors.path.read_bytes().replace(b'"seq":4', b'"seq":3'))
    with filled.read() as read:
        found = ledger.verify(read, keys=keys, anchors=anchors)
    assert not found.ok
    assert "anchor 1" in found.reason


def test_lost_anchors_leave_nothing_confirmed(filled: Database, keys: Keys, anchors: Anchors) -> None:
    anchors.path.unlink()
    with filled.read() as read:
        assert ledger.verify(read, keys=keys, anchors=anchors).anchored_to == 0


def test_a_thousand_random_changes_of_a_long_ledger(sqlite_database: Database, keys: Keys, anchors: Anchors) -> None:
    """R17 in number: a thousand edits, deletions and swaps each, none missed, the first bad entry always named."""
    rng = random.Random(17)
    with sqlite_database.write() as write:
        for number in range(6):
            add(write, keys, number)
    for _ in range(1_000):
        one, other = rng.sample(range(1, 7), 2)
        letter = rng.choice("aeiours")
        attacks = (
            (one, f"UPDATE ledger SET body = CAST(REPLACE(body, '{letter}', 'ß') AS BLOB) WHERE seq = {one}"),
            (one, f"DELETE FROM ledger WHERE seq = {one}"),
            (
                min(one, other),
                f"UPDATE ledger SET seq = CASE seq WHEN {one} THEN -{other} ELSE -{one} END "
                f"WHERE seq IN ({one}, {other}); UPDATE ledger SET seq = -seq WHERE seq < 0",
            ),
        )
        for first_bad, attack in attacks:
            found = after(sqlite_database, lambda write, sql=attack: _each(write, sql), keys, anchors)
            assert (found.ok, found.first_bad) == (False, first_bad), attack


def _each(write: Write, statements: str) -> None:
    for statement in statements.split("; "):
        write.execute(text(statement))
