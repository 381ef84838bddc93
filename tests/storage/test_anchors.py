"""Anchors: signed, chained, durable, checkable by anyone with the public key."""

from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from storage import ledger
from storage.anchors import Anchors
from storage.database import Database
from storage.errors import Unavailable
from storage.keys import Keys
from storage.records.clock import DAY
from storage.records.document import canonical


def grow(database: Database, keys: Keys, anchors: Anchors, at: int) -> None:
    with database.write() as write:
        ledger.append(
            write,
            keys,
            at=at,
            actor="a",
            action="b",
            object_kind="c",
            object_key="d",
            before=None,
            after=None,
            reason="because it is time",
        )
    with database.read() as read:
        anchors.anchor(read, at)


def test_anyone_with_the_public_key_can_check_them(sqlite_database: Database, keys: Keys, anchors: Anchors) -> None:
    for at in (1, 2, 3):
        grow(sqlite_database, keys, anchors, at)
    public = load_pem_public_key(keys.public_pem)
    assert isinstance(public, Ed25519PublicKey)
    lines = anchors.path.read_bytes().splitlines()
    assert [orjson.loads(line)["seq"] for line in lines] == [1, 2, 3]
    for line in lines:
        plain = orjson.loads(line)
        public.verify(bytes.fromhex(plain.pop("signature")), canonical(plain))
    assert [head.seq for head in anchors.heads()] == [1, 2, 3]
    assert anchors.path.stat().st_mode & 0o777 == 0o600


def test_a_ledger_at_rest_is_anchored_once_a_day(sqlite_database: Database, keys: Keys, anchors: Anchors) -> None:
    grow(sqlite_database, keys, anchors, 0)
    with sqlite_database.read() as read:
        again = anchors.anchor(read, DAY - 1)
        assert again is not None
        assert again.at == 0
        assert len(anchors.heads()) == 1
        anchors.anchor(read, DAY)
    assert [head.at for head in anchors.heads()] == [0, DAY]


def test_a_line_cut_short_by_power_loss_is_no_anchor(sqlite_database: Database, keys: Keys, anchors: Anchors) -> None:
    grow(sqlite_database, keys, anchors, 1)
    whole = anchors.path.read_bytes()
    anchors.path.write_bytes(whole + whole[:40])
    assert [head.seq for head in anchors.heads()] == [1]
    grow(sqlite_database, keys, anchors, 2)
    assert [head.seq for head in anchors.heads()] == [1, 2]


@pytest.mark.parametrize("damage", ["edit", "remove the first", "remove one between", "garbage", "another's signature"])
def test_damage_is_found(sqlite_database: Database, keys: Keys, anchors: Anchors, tmp_path: Path, damage: str) -> None:
    for at in (1, 2, 3):
        grow(sqlite_database, keys, anchors, at)
    lines = anchors.path.read_bytes().splitlines(keepends=True)
    if damage == "edit":
        lines[1] = lines[1].replace(b'"at":2', b'"at":9')
    elif damage == "remove the first":
        del lines[0]
    elif damage == "remove one between":
        del lines[1]
    elif damage == "garbage":
        lines[1] = b"[]\n"
    else:
        plain = orjson.loads(lines[2])
        del plain["signature"]
        plain["signature"] = Keys.open(tmp_path / "other").signing.sign(canonical(plain)).hex()
        lines[2] = canonical(plain) + b"\n"
    anchors.path.write_bytes(b"".join(lines))
    with pytest.raises(Unavailable):
        anchors.heads()


def test_an_anchor_that_is_not_ours_is_not_continued(
    sqlite_database: Database, keys: Keys, anchors: Anchors, tmp_path: Path
) -> None:
    grow(sqlite_database, Keys.open(tmp_path / "other"), Anchors(anchors.path, Keys.open(tmp_path / "o").signing), 1)
    before = anchors.path.read_bytes()
    with pytest.raises(Unavailable, match="last anchor"), sqlite_database.read() as read:
        anchors.anchor(read, DAY)
    assert anchors.path.read_bytes() == before


def test_a_file_of_many_anchors_goes_on_from_its_end(sqlite_database: Database, keys: Keys, anchors: Anchors) -> None:
    for at in range(300):
        grow(sqlite_database, keys, anchors, at)
    assert anchors.path.stat().st_size > 65_536
    assert [head.seq for head in anchors.heads()] == list(range(1, 301))
    anchors.path.write_bytes(anchors.path.read_bytes() + b"x" * 100_000)
    damaged = anchors.path.stat().st_size
    with pytest.raises(Unavailable, match="damaged"), sqlite_database.read() as read:
        anchors.anchor(read, 10 * DAY)
    assert anchors.path.stat().st_size == damaged
