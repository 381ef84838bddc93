"""Whoever has the public key alone sees every change to an extract of the ledger: six classes of tampering."""

import random
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from storage import ledger
from storage.anchors import Anchors
from storage.bundles import bundle
from storage.database import Database
from storage.errors import Conflict, Invalid, NotFound, Unavailable
from storage.extracts import Wanted, extract, proof
from storage.keys import Keys
from storage.records.document import canonical
from storage.verifier import ANCHORS, ENTRIES, MANIFEST, climb, judge, leaf, read

SIZE, ANCHORED = 24, (6, 13, 20)
Files = dict[str, bytes]


@pytest.fixture
def filled(sqlite_database: Database, keys: Keys, anchors: Anchors) -> Database:
    for number in range(1, SIZE + 1):
        with sqlite_database.write() as write:
            ledger.append(
                write,
                keys,
                at=1_000 * number,
                actor=f"user-{number % 3}",
                action="policy.rollout",
                object_kind="policy",
                object_key=f"key-{number}",
                before={"percent": number},
                after={"percent": number + 0.5, "note": "é\u2028 and a secret"},
                reason="because it is time",
            )
        if number in ANCHORED:
            with sqlite_database.read() as session:
                anchors.anchor(session, 60_000 * number)
    return sqlite_database


def packed(database: Database, keys: Keys, anchors: Anchors, path: Path, wanted: Wanted | int) -> Path:
    with database.read() as session:
        made = proof(session, anchors, wanted) if isinstance(wanted, int) else extract(session, anchors, wanted)
    about = {"kind": "ledger", "made_at": 1, "chain": made.chain}
    bundle(path, keys, about=about, files=made.files)
    return path


@pytest.fixture
def whole(filled: Database, keys: Keys, anchors: Anchors, tmp_path: Path) -> Files:
    return read(packed(filled, keys, anchors, tmp_path / "whole.zip", Wanted()))


def rows(files: Files) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in files[ENTRIES].splitlines()]


def test_a_whole_export_is_confirmed(whole: Files, keys: Keys) -> None:
    found = judge(whole, keys.public_pem)
    assert found["ok"], found
    assert (found["entries"], found["shown"], found["first"], found["last"]) == (SIZE, SIZE, 1, SIZE)
    assert found["anchored_to"] == max(ANCHORED)


def test_the_script_in_the_bundle_needs_nothing_of_ours(
    filled: Database, keys: Keys, anchors: Anchors, tmp_path: Path
) -> None:
    path = packed(filled, keys, anchors, tmp_path / "bundle.zip", Wanted())
    (tmp_path / "verify.py").write_bytes(read(path)["verify.py"])
    (tmp_path / "key.pem").write_bytes(keys.public_pem)
    command = [sys.executable, "-I", "verify.py", "bundle.zip", "key.pem"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert (ran.returncode, orjson.loads(ran.stdout)["ok"]) == (0, True), ran.stderr
    (tmp_path / "key.pem").write_bytes(Keys.open(tmp_path / "other").public_pem)
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert (ran.returncode, orjson.loads(ran.stdout)["ok"]) == (6, False)


@pytest.mark.parametrize("seq", [1, 6, 7, 10, 13, 20])
def test_one_entry_is_proved_without_telling_the_others(
    filled: Database, keys: Keys, anchors: Anchors, tmp_path: Path, seq: int
) -> None:
    files = read(packed(filled, keys, anchors, tmp_path / "one.zip", seq))
    found = judge(files, keys.public_pem)
    assert found["ok"] and found["shown"] == 1 and found["anchored_to"] >= seq
    assert [row["seq"] for row in rows(files) if "body" in row] == [seq]
    assert files[ENTRIES].count(b"a secret") == 1
    assert found["entries"] <= 7


def test_what_no_anchor_confirms_is_not_proved(filled: Database, anchors: Anchors) -> None:
    with filled.read() as session:
        with pytest.raises(Conflict, match="no anchor"):
            proof(session, anchors, 21)
        with pytest.raises(NotFound):
            proof(session, anchors, SIZE + 1)


def test_filters_hide_what_was_not_asked_for(filled: Database, keys: Keys, anchors: Anchors, tmp_path: Path) -> None:
    files = read(packed(filled, keys, anchors, tmp_path / "f.zip", Wanted(actor="user-1", start=8_000, end=20_000)))
    assert [row["seq"] for row in rows(files) if "body" in row] == [10, 13, 16, 19]
    found = judge(files, keys.public_pem)
    assert found["ok"] and (found["first"], found["last"], found["shown"]) == (7, 19, 4)
    with filled.read() as session, pytest.raises(NotFound):
        extract(session, anchors, Wanted(start=10**9))


def test_a_chain_too_long_for_one_extract_is_refused(
    filled: Database, anchors: Anchors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.extracts.MOST", 5)
    with filled.read() as session, pytest.raises(Invalid, match="narrow"):
        extract(session, anchors, Wanted())


def replaced(files: Files, changed: list[dict[str, Any]]) -> Files:
    return {**files, ENTRIES: b"".join(orjson.dumps(row) + b"\n" for row in changed)}


def edited(files: Files, dice: random.Random) -> Files:
    changed = rows(files)
    row = dice.choice(changed)
    name = dice.choice(["body", "hash"])
    place = dice.randrange(len(row[name]))
    row[name] = row[name][:place] + chr((ord(row[name][place]) + 1) % 127 or 32) + row[name][place + 1 :]
    return replaced(files, changed)


def deleted(files: Files, dice: random.Random) -> Files:
    changed = rows(files)
    for row in dice.sample(changed, dice.randint(1, 4)):
        changed.remove(row)
    return replaced(files, changed)


def inserted(files: Files, dice: random.Random) -> Files:
    changed = rows(files)
    place = dice.randrange(len(changed) + 1)
    forged = {**dice.choice(changed), "seq": place + 1}
    forged["body"] = canonical(orjson.loads(forged["body"]) | {"seq": place + 1, "actor": "nobody"}).decode()
    changed.insert(place, forged)
    return replaced(files, changed if dice.random() < 0.5 else renumbered(changed))


def renumbered(changed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for number, row in enumerate(changed, start=1):
        row["seq"] = number
        row["body"] = canonical(orjson.loads(row["body"]) | {"seq": number}).decode()
    return changed


def swapped(files: Files, dice: random.Random) -> Files:
    changed = rows(files)
    one, two = dice.sample(range(len(changed)), 2)
    changed[one], changed[two] = changed[two], changed[one]
    return replaced(files, changed if dice.random() < 0.5 else renumbered(changed))


def cut_off(files: Files, dice: random.Random) -> Files:
    changed = rows(files)[: dice.randrange(SIZE)]
    kept = [line for line in files[ANCHORS].splitlines(keepends=True) if orjson.loads(line)["seq"] <= len(changed)]
    return replaced({**files, ANCHORS: b"".join(kept)}, changed)


def rechained(files: Files, dice: random.Random) -> Files:
    """Everything that a holder of the chain's key can compute anew, manifest and anchors included, but no signature."""
    changed = rows(files)
    place = dice.randrange(max(ANCHORED))
    row = changed[place]
    row["body"] = canonical(orjson.loads(row["body"]) | {"actor": "somebody else"}).decode()
    row["hash"] = sha256(row["body"].encode()).hexdigest()
    for one, two in zip(changed[place:], changed[place + 1 :], strict=False):
        two["previous"] = one["hash"]
        two["hash"] = sha256(two["previous"].encode() + two["body"].encode()).hexdigest()
    digest, digests = ledger.GENESIS, {}
    for each in changed:
        digest = digests[each["seq"]] = climb(digest, leaf(each["hash"], each["body"].encode()))
    made = replaced(files, changed)
    if dice.random() < 0.5:
        anchored = [orjson.loads(line) for line in files[ANCHORS].splitlines()]
        made[ANCHORS] = b"".join(canonical(one | {"digest": digests[one["seq"]]}) + b"\n" for one in anchored)
    if dice.random() < 0.5:
        manifest = orjson.loads(files[MANIFEST])
        manifest["chain"]["end"] |= {"digest": digest, "hash": changed[-1]["hash"]}
        manifest["files"] |= {name: sha256(made[name]).hexdigest() for name in (ENTRIES, ANCHORS)}
        made[MANIFEST] = canonical(manifest)
    return made


ATTACKS: tuple[Callable[[Files, random.Random], Files], ...] = (edited, deleted, inserted, swapped, cut_off, rechained)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_every_tampering_is_found_with_the_public_key_alone(
    whole: Files, keys: Keys, attack: Callable[[Files, random.Random], Files]
) -> None:
    for seed in range(300):
        changed = attack(whole, random.Random(seed))
        found = judge(changed, keys.public_pem)
        assert not found["ok"], (attack.__name__, seed)
        assert found["reason"]


@settings(max_examples=200)
@given(data=st.data())
def test_no_bit_of_a_bundle_can_be_flipped(whole: Files, keys: Keys, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(whole)))
    place = data.draw(st.integers(0, len(whole[name]) - 1))
    flipped = bytearray(whole[name])
    flipped[place] ^= 1 << data.draw(st.integers(0, 7))
    if name == MANIFEST and orjson_equal(bytes(flipped), whole[name]):
        return
    assert not judge({**whole, name: bytes(flipped)}, keys.public_pem)["ok"]


def orjson_equal(one: bytes, two: bytes) -> bool:
    try:
        return bool(orjson.loads(one) == orjson.loads(two))
    except orjson.JSONDecodeError:
        return False


def test_files_cannot_be_added_or_taken_away(whole: Files, keys: Keys) -> None:
    assert "added" in judge({**whole, "more.txt": b""}, keys.public_pem)["reason"]
    for name in whole:
        assert not judge({key: value for key, value in whole.items() if key != name}, keys.public_pem)["ok"]
    assert not judge({}, keys.public_pem)["ok"]
    assert not judge({MANIFEST: b"[]"}, keys.public_pem)["ok"]


@pytest.mark.parametrize(
    "damage", ["DELETE FROM ledger WHERE seq = 22", "UPDATE ledger SET previous = 'x' WHERE seq = 23"]
)
def test_what_is_broken_is_not_anchored(filled: Database, anchors: Anchors, damage: str) -> None:
    with filled.write() as write:
        write.execute(text(damage))
    with filled.read() as session, pytest.raises(Unavailable, match="nothing is signed"):
        anchors.anchor(session, 10**10)


def test_a_shortened_ledger_is_not_anchored(filled: Database, anchors: Anchors) -> None:
    with filled.write() as write:
        write.execute(text("DELETE FROM ledger WHERE seq > 15"))
    with filled.read() as session, pytest.raises(Unavailable, match="ends before its last anchor"):
        anchors.anchor(session, 10**10)
