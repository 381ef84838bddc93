"""The first run's data: imported where it can be had, made up and marked where it cannot."""

from collections import Counter
from pathlib import Path

import pytest

from collectors import open_bandit
from fairlead import datasets
from fairlead.clicks import read_log
from fairlead.presets import synthetic
from fairlead.settings import Settings
from fairlead.wiring import Store, open_store
from storage import catalogue, cells
from storage.errors import Unavailable
from storage.records import clock


@pytest.fixture
def store(home: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(synthetic, "ROWS", 500)
    return open_store(Settings(home=home))


def unreachable(_downloads: Path) -> Path:
    raise Unavailable("no package client answers")


def test_without_the_data_set_it_goes_on_with_synthetic_data_and_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(open_bandit, "fetch_wheel", unreachable)
    assert datasets.ensure_data(store) == {"origins": ["simulated"]}
    out, err = capfd.readouterr()
    assert out == ""
    assert "cannot be had: no package client answers" in err
    assert "marked as simulated" in err
    with store.database.read() as read:
        assert synthetic.present(read)
        assert len(catalogue.load(read).items) == 3 * synthetic.ITEMS
    assert datasets.ensure_data(store) == {"origins": ["simulated"]}, "a second start adds nothing"
    assert capfd.readouterr().err == ""


def test_synthetic_rows_are_simulated_final_and_counted(store: Store) -> None:
    now = clock.now()
    assert synthetic.generate(store, now=now) == 3 * synthetic.ROWS
    with store.database.read() as read, store.lake.connect(read) as duck:
        found = duck.execute("SELECT DISTINCT origin, propensity_kind, subject FROM decisions").fetchall()
        latest = duck.execute('SELECT max("at") + max(join_window_s) * 1000000 FROM decisions').fetchall()
        events = Counter(dict(duck.execute("SELECT type, count(*) FROM events GROUP BY ALL").fetchall()))
        shown = cells.totals(read, start=now - 9 * clock.DAY, end=now, origins=("simulated",), by=("campaign",))
    assert found == [("simulated", "marginal", None)]
    assert latest[0][0] < now
    assert events["impression"] == 3 * synthetic.ROWS
    assert 10 < events["click"] < 100
    assert {cell.a: cell.impressions for cell in shown} == dict.fromkeys(("all", "men", "women"), synthetic.ROWS)


def test_visitors_can_be_drawn_from_it(store: Store) -> None:
    synthetic.generate(store, now=clock.now())
    with store.database.read() as read:
        items = {item.item_id: item for item in catalogue.load(read).items}
    logged = read_log(store.database, store.lake, items=items, now=clock.now())
    assert logged.impressions == 3 * synthetic.ROWS
    assert {campaign for campaign, _ in logged.contexts} == {"all", "men", "women"}


def test_there_are_no_visitors_without_a_log(store: Store) -> None:
    with pytest.raises(Unavailable, match="import open-bandit"):
        read_log(store.database, store.lake, items={}, now=clock.now())
