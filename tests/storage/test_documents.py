"""Documents that have one instance each."""

import pytest

from storage import documents
from storage.database import Database
from storage.errors import Unavailable
from storage.records.policies import Installation, KillSwitch


def test_the_last_one_saved_is_loaded(database: Database) -> None:
    with database.read() as read:
        assert documents.load(read, "kill_switch", KillSwitch) is None
    for switch in (KillSwitch(), KillSwitch(on=True, since=5, reason="why")):
        with database.write() as write:
            documents.save(write, "kill_switch", switch)
        with database.read() as read:
            assert documents.load(read, "kill_switch", KillSwitch) == switch


def test_what_is_no_such_document_is_a_clear_error(database: Database) -> None:
    with database.write() as write:
        documents.save(write, "installation", KillSwitch(on=True))
    with database.read() as read, pytest.raises(Unavailable, match="installation"):
        documents.load(read, "installation", Installation)
