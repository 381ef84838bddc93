"""Signed documents."""

from pathlib import Path

import pytest

from storage.keys import Keys
from storage.signed import sign, verified

DOCUMENT = {"what": "erasure", "at": 1, "of": ["a", "b"]}


def test_whoever_has_the_public_half_can_check(tmp_path: Path) -> None:
    keys = Keys.open(tmp_path)
    assert verified(sign(DOCUMENT, keys), keys.public_pem)


@pytest.mark.parametrize(
    "change", [{"at": 2}, {"more": None}, {"signature": "00" * 64}, {"signature": "no hex"}, {"key": "0" * 16}]
)
def test_a_changed_document_is_found(tmp_path: Path, change: dict[str, object]) -> None:
    keys = Keys.open(tmp_path)
    assert not verified({**sign(DOCUMENT, keys), **change}, keys.public_pem)


def test_another_installation_did_not_sign_it(tmp_path: Path) -> None:
    ours, theirs = Keys.open(tmp_path / "ours"), Keys.open(tmp_path / "theirs")
    assert not verified(sign(DOCUMENT, theirs), ours.public_pem)
