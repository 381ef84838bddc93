"""A logged decision decided again with another version: exact, or refused with the reason; over the API, too."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from governance.control import Control
from governance.decided_anew import decided_anew
from storage.database import Database
from storage.errors import NotFound
from tests.governance.conftest import NOW, warrant
from tests.governance.logged import log, stock, version

Two = tuple[int, int]
SHOES = {"category": "shoe"}


@pytest.fixture
def versions(solo: Control, sqlite_database: Database) -> tuple[int, int]:
    """The version that serves, of a desk with items, and one that shows shoes alone."""
    stock(sqlite_database)
    number = version(solo, {"surface": "home", "exploration": {"epsilon": 0.6}}, warrant())
    solo.do("policy.rollout", "home", {"version": number, "percent": 100}, warrant(confirm="home"))
    return number, version(solo, {"surface": "home", "exploration": {"epsilon": 0.6}, "filters": SHOES}, warrant())


def test_the_version_that_served_answers_the_same(versions: Two, sqlite_database: Database, home: Path) -> None:
    lake, made = log(sqlite_database, home, decisions=10)
    for record in made:
        found = decided_anew(sqlite_database, lake, home, record, version=versions[0], now=NOW)
        assert (found.verdict, found.reason, found.unknown) == ("exact", "", ())
        assert found.anew is not None and found.anew.items == found.logged.items == record.items


def test_another_version_answers_what_it_says(versions: Two, sqlite_database: Database, home: Path) -> None:
    lake, made = log(sqlite_database, home, decisions=30)
    with sqlite_database.read() as read:
        from storage import catalogue

        kinds = {item.item_id: item.attributes["category"] for item in catalogue.load(read).items}
    answers = [decided_anew(sqlite_database, lake, home, record, version=versions[1], now=NOW) for record in made]
    assert all(found.verdict == "exact" and found.anew is not None for found in answers)
    shown = [item for found in answers for item in found.anew.items]  # type: ignore[union-attr]  # asserted above
    assert shown and {kinds[item] for item in shown} == {"shoe"}
    assert any(found.logged.items != found.anew.items for found in answers)  # type: ignore[union-attr]  # likewise


def test_what_is_not_kept_is_refused_with_its_reason(versions: Two, sqlite_database: Database, home: Path) -> None:
    lake, made = log(sqlite_database, home, decisions=1)
    for record, why in (
        (replace(made[0], revision=10_000), "no longer kept"),
        (replace(made[0], origin="imported"), "made elsewhere"),
        (replace(made[0], policy=None), "no policy took part"),
    ):
        found = decided_anew(sqlite_database, lake, home, record, version=versions[1], now=NOW)
        assert (found.verdict, found.anew) == ("refused", None) and why in found.reason
    with pytest.raises(NotFound):
        decided_anew(sqlite_database, lake, home, made[0], version=99, now=NOW)
