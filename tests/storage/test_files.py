"""Files are there whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from storage.errors import Conflict, Full, Unavailable
from storage.files import claim, wire, write_whole


def test_a_file_is_written_whole_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "file"
    write_whole(path, b"one", replace=False)
    write_whole(path, b"two", replace=False)
    assert path.read_bytes() == b"one"
    write_whole(path, b"three", replace=True, mode=0o644)
    assert path.read_bytes() == b"three"
    assert path.stat().st_mode & 0o777 == 0o644
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_a_failure_leaves_the_older_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old", replace=True)

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Full, match="file"):
        write_whole(path, b"new", replace=True)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("number", "expected"),
    [(errno.ENOSPC, Full), (errno.EDQUOT, Full), (errno.EROFS, Unavailable), (None, Unavailable)],
)
def test_the_operating_system_is_translated(number: int | None, expected: type[Exception]) -> None:
    with pytest.raises(expected, match="the ledger") as caught, wire("the ledger"):
        raise OSError(number, "x") if number else OSError("x")
    assert type(caught.value) is expected


def test_a_claim_is_for_one_until_it_is_closed(tmp_path: Path) -> None:
    handle = claim(tmp_path / "file")
    with pytest.raises(Conflict):
        claim(tmp_path / "file")
    os.close(handle)
    os.close(claim(tmp_path / "file"))
