"""What the patrol looks at."""

from pathlib import Path

import pytest

from governance.patrol import Beat
from storage.anchors import Anchors
from storage.database import Database
from storage.keys import Keys

NOW = 1_760_000_400_000_000


@pytest.fixture
def beat(sqlite_database: Database, home: Path) -> Beat:
    keys = Keys.open(home)
    anchors = Anchors(home / "anchors" / "anchors.jsonl", keys.signing)
    return Beat(database=sqlite_database, home=home, keys=keys, anchors=anchors)
