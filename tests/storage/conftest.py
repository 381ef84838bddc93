"""Keys, anchors, and a ledger of some entries."""

from pathlib import Path

import pytest

from storage.anchors import Anchors
from storage.database import Database
from storage.keys import Keys
from storage.records.clock import MINUTE

from .chained import ANCHORED, SIZE, add


@pytest.fixture
def keys(home: Path) -> Keys:
    return Keys.open(home)


@pytest.fixture
def anchors(home: Path, keys: Keys) -> Anchors:
    return Anchors(home / "anchors" / "anchors.jsonl", keys.signing)


@pytest.fixture
def filled(database: Database, keys: Keys, anchors: Anchors) -> Database:
    for number in range(1, SIZE + 1):
        with database.write() as write:
            add(write, keys, number)
        if number in ANCHORED:
            with database.read() as read:
                anchors.anchor(read, number * MINUTE)
    return database
