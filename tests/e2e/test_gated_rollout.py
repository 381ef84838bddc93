"""A version that fails, let out by itself on a running installation: taken back by itself, within a minute."""

from collections.abc import Iterator

import pytest

from storage import rollouts
from storage.database import Database
from storage.lake import Lake
from storage.records.clock import SECOND
from tests.e2e.installation import Copy, running, until
from tests.e2e.people import Person, failing_version, let_out

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

PLAN = {"version": 3, "steps": [50, 100], "waived": ["fairness"]}


@pytest.fixture
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """A copy of its own: what it serves is changed for good."""
    with running(tmp_path_factory.mktemp("alone") / "home") as started:
        yield started


def test_a_version_that_fails_is_taken_back_within_a_minute(alone: Copy) -> None:
    anna, bert = Person(alone, "anna"), Person(alone, "bert")
    version = failing_version(anna)
    wanted = {"kind": "rollout.start", "key": "home", "payload": {**PLAN, "version": version}}
    started = let_out(anna, bert, wanted)
    key = started["after"]["rollout_id"]

    view = until(lambda: (v := anna.see(f"/rollouts/{key}"))["state"] == "rolled_back" and v, within_s=180.0)
    assert view["note"].startswith("slo: ")
    assert anna.see("/policies/home")["rollout"] is None
    assert anna.see(f"/rollouts/{key}/looks/{view['latest']['seq']}/replay")["verdict"] == "exact"

    lake, database = Lake(alone.home / "lake"), Database(f"sqlite:///{alone.home / 'fairlead.db'}")
    with database.read() as read, lake.connect(read, start=view["created_at"]) as duck:
        asked = """SELECT DISTINCT ON (subject) "at" FROM decisions WHERE version = ? ORDER BY subject, "at" """
        met = sorted(at for (at,) in duck.execute(asked, [version]).fetchall())
        kept = rollouts.looks(read, key, limit=1)[0]
    database.close()
    assert kept.step == "roll_back" and len(met) >= 3
    shown = met[min(len(met), 20) - 1]  # by the twentieth person the evidence has crossed, at a share of one half
    assert view["ended_at"] - shown <= 60 * SECOND
