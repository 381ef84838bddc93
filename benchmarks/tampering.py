"""Tampering with the ledger in six classes: how much of it is found, and what a whole verification costs.

Each class does what its holder could do with the database (and, to recompute the chain, with its key), anywhere that an
anchor has seen. In the database the chain is verified with the key; in an exported bundle with the public key alone,
after the forger has recomputed everything that needs no signature. Floor of the time: reading the same rows.
"""

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import text
from sqlmodel import col, select

from benchmarks.figures import Figure
from storage import ledger, migrations
from storage.anchors import Anchors
from storage.bundles import bundle
from storage.database import Database, Write
from storage.extracts import Wanted, extract
from storage.keys import Keys
from storage.records.document import canonical
from storage.tables.control import LedgerRow
from storage.verifier import ANCHORS, ENTRIES, GENESIS, climb, judge, leaf, read

SIZE, EVERY = 60, 10
MUTATIONS = 1_000
LARGE = 50_000
Files = dict[str, bytes]


class Undo(Exception):
    """Ends a transaction without a commit."""


def add(write: Write, keys: Keys, number: int, actor: str = "olga") -> None:
    """Append an entry."""
    ledger.append(
        write,
        keys,
        at=1_000 + number,
        actor=actor,
        action="policy.rollout",
        object_kind="policy",
        object_key=f"key-{number}",
        before={"percent": number},
        after={"percent": number + 1},
        reason="because it is time",
    )


def filled(folder: Path, size: int, every: int) -> tuple[Database, Keys, Anchors]:
    """Return a ledger with an anchor after ``every`` entries."""
    database, keys = Database(f"sqlite:///{folder / 'fairlead.db'}"), Keys.open(folder)
    migrations.upgrade(database)
    anchors = Anchors(folder / "anchors.jsonl", keys.signing)
    for first in range(0, size, every):
        with database.write() as write:
            for number in range(first, min(first + every, size)):
                add(write, keys, number + 1)
        with database.read() as session:
            anchors.anchor(session, first)
    return database, keys, anchors


def _sql(write: Write, statement: str, **values: Any) -> None:
    write.execute(text(statement), values)


def edit(write: Write, _keys: Keys, dice: random.Random) -> None:
    """Change one bit of one column of one entry."""
    column = dice.choice(["actor", "action", "object_kind", "object_key", "result", "previous", "hash", "body"])
    seq = dice.randint(1, SIZE)
    old = write.execute(text(f"SELECT {column} FROM ledger WHERE seq = :seq"), {"seq": seq}).scalar_one()
    place = dice.randrange(len(old))
    if isinstance(old, bytes):
        changed: Any = old[:place] + bytes([old[place] ^ (1 << dice.randrange(8))]) + old[place + 1 :]
    else:
        changed = old[:place] + chr(ord(old[place]) ^ 1) + old[place + 1 :]
    _sql(write, f"UPDATE ledger SET {column} = :changed WHERE seq = :seq", changed=changed, seq=seq)


def delete(write: Write, _keys: Keys, dice: random.Random) -> None:
    """Delete one to five entries."""
    for seq in dice.sample(range(1, SIZE + 1), dice.randint(1, 5)):
        _sql(write, "DELETE FROM ledger WHERE seq = :seq", seq=seq)


def insert(write: Write, _keys: Keys, dice: random.Random) -> None:
    """Put a copy of an entry in front of another one."""
    place, twin = dice.randint(1, SIZE), dice.randint(1, SIZE)
    _sql(write, "UPDATE ledger SET seq = -seq - 1 WHERE seq >= :place", place=place)
    _sql(write, "UPDATE ledger SET seq = -seq WHERE seq < 0")
    names = "at, actor, action, object_kind, object_key, result, body, previous, hash"
    source = twin + 1 if twin >= place else twin
    _sql(
        write,
        f"INSERT INTO ledger (seq, {names}) SELECT :place, {names} FROM ledger WHERE seq = :source",
        place=place,
        source=source,
    )


def swap(write: Write, _keys: Keys, dice: random.Random) -> None:
    """Let two entries change places."""
    one, two = dice.sample(range(1, SIZE + 1), 2)
    for old, new in ((one, -1), (two, one), (-1, two)):
        _sql(write, "UPDATE ledger SET seq = :new WHERE seq = :old", old=old, new=new)


def truncate(write: Write, _keys: Keys, dice: random.Random) -> None:
    """Cut the end off, counter included."""
    last = dice.randrange(SIZE)
    _sql(write, "DELETE FROM ledger WHERE seq > :last", last=last)
    _sql(write, "UPDATE counters SET value = :last WHERE name = 'ledger'", last=last)


def rechain(write: Write, keys: Keys, dice: random.Random) -> None:
    """Change an entry and compute every later hash anew, with the key."""
    start = dice.randint(1, SIZE)
    _sql(write, "DELETE FROM ledger WHERE seq >= :start", start=start)
    _sql(write, "UPDATE counters SET value = :last WHERE name = 'ledger'", last=start - 1)
    for number in range(start, SIZE + 1):
        add(write, keys, number, "somebody else" if number == start else "olga")


ATTACKS: tuple[Callable[[Write, Keys, random.Random], None], ...] = (edit, delete, insert, swap, truncate, rechain)


def in_database(database: Database, keys: Keys, anchors: Anchors) -> dict[str, int]:
    """Return how many mutations of each class were found."""
    found = {}
    for attack in ATTACKS:
        count = 0
        for seed in range(MUTATIONS):
            try:
                with database.write() as write:
                    attack(write, keys, random.Random(seed))
                    count += not ledger.verify(write, keys=keys, anchors=anchors).ok
                    raise Undo
            except Undo:
                pass
        found[attack.__name__] = count
    return found


def forged(files: Files, attack: str, dice: random.Random) -> Files:
    """Do to a bundle what ``attack`` does to the database, and recompute all that needs no signature."""
    rows = [orjson.loads(line) for line in files[ENTRIES].splitlines()]
    place, other = dice.sample(range(len(rows)), 2)
    if attack in {"edit", "rechain"}:
        body = orjson.loads(rows[place]["body"]) | {"actor": "somebody else"}
        rows[place]["body"] = canonical(body).decode()
    elif attack == "delete":
        del rows[place]
    elif attack == "insert":
        rows.insert(place, dict(rows[other]))
    elif attack == "swap":
        rows[place], rows[other] = rows[other], rows[place]
    else:
        del rows[place:]
    digest, digests = GENESIS, {}
    for number, row in enumerate(rows, start=1):
        row["seq"] = number
        row["body"] = canonical(orjson.loads(row["body"]) | {"seq": number}).decode()
        digest = digests[number] = climb(digest, leaf(row["hash"], row["body"].encode()))
    made = {**files, ENTRIES: b"".join(orjson.dumps(row) + b"\n" for row in rows)}
    if dice.random() < 0.5:
        anchored = [orjson.loads(line) for line in files[ANCHORS].splitlines()]
        kept = [one | {"digest": digests[one["seq"]]} for one in anchored if one["seq"] in digests]
        made[ANCHORS] = b"".join(canonical(one) + b"\n" for one in kept)
    return made


def in_bundle(files: Files, public_pem: bytes) -> dict[str, int]:
    """Return how many forged bundles of each class were found with the public key alone."""
    if not judge(files, public_pem)["ok"]:
        raise RuntimeError("the untouched bundle is not whole")
    return {
        attack.__name__: sum(
            not judge(forged(files, attack.__name__, random.Random(seed)), public_pem)["ok"]
            for seed in range(MUTATIONS)
        )
        for attack in ATTACKS
    }


def speed() -> tuple[float, float]:
    """Return the seconds of verifying a large ledger, and of reading its rows."""
    with tempfile.TemporaryDirectory() as folder:
        database, keys, anchors = filled(Path(folder), LARGE, 5_000)
        with database.read() as session:
            begin = time.process_time()
            found = ledger.verify(session, keys=keys, anchors=anchors)
            took = time.process_time() - begin
        if not found.ok:
            raise RuntimeError(found.reason)
        with database.read() as session:
            begin, after = time.process_time(), 0
            while rows := session.all(
                select(LedgerRow).where(col(LedgerRow.seq) > after).order_by(col(LedgerRow.seq)).limit(1_000)
            ):
                after = rows[-1].seq
            floor = time.process_time() - begin
        database.close()
    return took, floor


def main() -> None:
    """Tamper, then measure."""
    with tempfile.TemporaryDirectory() as folder:
        database, keys, anchors = filled(Path(folder), SIZE, EVERY)
        with database.read() as session:
            made = extract(session, anchors, Wanted())
        path = Path(folder) / "ledger.zip"
        bundle(path, keys, about={"kind": "ledger", "made_at": 1, "chain": made.chain}, files=made.files)
        outside = in_bundle(read(path), keys.public_pem)
        inside = in_database(database, keys, anchors)
        database.close()
    for name, found in (("tampering", inside), ("tampering, public key alone", outside)):
        share = sum(found.values()) / (len(ATTACKS) * MUTATIONS)
        Figure(
            bench=name,
            value=share,
            unit="share of mutations found",
            floor=None,
            ratio=None,
            target=f"1 in each of {len(ATTACKS)} classes, {MUTATIONS} mutations each",
            ok=share == 1.0,
            raw={"found": found, "entries": SIZE, "anchor_every": EVERY},
        ).print()
    took, floor = speed()
    Figure(
        bench="ledger_verify",
        value=took,
        unit=f"s CPU for {LARGE} entries",
        floor=floor,
        ratio=took / floor,
        target="ratio ≤ 3",
        ok=took <= 3 * floor,
    ).print()


if __name__ == "__main__":
    main()
