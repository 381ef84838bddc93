"""Keys and token files: made once, for their owner only, never shown."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from storage.errors import Invalid, Unavailable
from storage.keys import Keys, read_token, write_token

FILES = ("lookup.key", "commitment.key", "chain.key", "signing.pem")


def fingerprint(keys: Keys) -> tuple[bytes, ...]:
    return keys.lookup, keys.commitment, keys.chain, keys.public_pem


def test_keys_are_made_once_and_stay(home: Path) -> None:
    first = Keys.open(home)
    assert fingerprint(Keys.open(home)) == fingerprint(first)
    assert len(set(fingerprint(first))) == 4
    assert {len(key) for key in fingerprint(first)[:3]} == {32}
    load_pem_public_key(first.public_pem).verify(first.signing.sign(b"x"), b"x")  # type: ignore[union-attr, call-arg]  # Ed25519


def test_keys_are_for_their_owner_only(home: Path) -> None:
    Keys.open(home)
    assert sorted(path.name for path in (home / "keys").iterdir()) == sorted(FILES)
    assert {path.stat().st_mode & 0o777 for path in (home / "keys").iterdir()} == {0o600}
    assert (home / "keys").stat().st_mode & 0o777 == 0o700


def test_keys_are_not_shown(home: Path) -> None:
    keys = Keys.open(home)
    assert keys.chain.hex() not in repr(keys)
    assert repr(keys) == "Keys()"


def test_processes_that_start_at_once_agree(home: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len({fingerprint(keys) for keys in pool.map(lambda _: Keys.open(home), range(16))}) == 1
    assert sorted(path.name for path in (home / "keys").iterdir()) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_key_that_others_may_read_is_refused(home: Path, name: str) -> None:
    Keys.open(home)
    (home / "keys" / name).chmod(0o640)
    with pytest.raises(Unavailable, match="chmod 600"):
        Keys.open(home)


@pytest.mark.parametrize("damage", [b"", b"abc", b"\xff\xfe", b"00" * 31])
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_key_is_refused_and_kept(home: Path, name: str, damage: bytes) -> None:
    Keys.open(home)
    (home / "keys" / name).write_bytes(damage)
    with pytest.raises(Unavailable, match="damaged"):
        Keys.open(home)
    assert (home / "keys" / name).read_bytes() == damage


def test_a_home_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match=r"lookup\.key"):
        Keys.open(tmp_path / "file")


def test_tokens_are_kept_for_their_owner_only(home: Path) -> None:
    assert read_token(home, "admin") is None
    write_token(home, "admin", "fl_one")
    write_token(home, "admin", "fl_two")
    assert read_token(home, "admin") == "fl_two"
    path = home / "keys" / "admin.token"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(Unavailable):
        read_token(home, "admin")


@pytest.mark.parametrize("name", ["../admin", "", "a/b", "A", "x" * 65, "a\n"])
def test_a_token_name_is_no_path(home: Path, name: str) -> None:
    with pytest.raises(Invalid):
        read_token(home, name)
    with pytest.raises(Invalid):
        write_token(home, name, "fl_x")
