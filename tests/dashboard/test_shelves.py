"""The catalogue on the System page: what syncs brought and refused, and which sources are shown."""

from dataclasses import replace

import pytest

from dashboard.queries.sources import Brought, sources
from storage import catalogue, series, syncs
from storage.records.clock import SECOND
from storage.records.items import Item
from storage.records.metrics import Counter
from storage.records.syncs import CatalogueSync, Refusal, SyncRun
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import surroundings
from tests.dashboard.week import NOW, PAYLOAD, window


def counted(**sources_):
    return tuple(
        Counter(name="fairlead_candidates_total", value=value, labels={"source": name, "step": step})
        for name, values in sources_.items()
        for step, value in zip(("brought", "shown"), values, strict=True)
    )


@pytest.fixture
def kept(sqlite_database):
    sync = CatalogueSync(source="file", location="items.csv")
    ran = SyncRun(run_id="1", name="shop", declared="d", started_at=NOW - 9 * SECOND, finished_at=NOW, result="ok")
    refusal = Refusal(row=7, field="attributes.price", reason=f"must be a number {PAYLOAD}")
    with sqlite_database.write() as write:
        catalogue.upsert(write, [Item(item_id="a"), Item(item_id="b", hidden=True)], now=NOW, source="shop")
        for name in ("shop", "slow", "torn"):
            syncs.declare(write, name, sync)
        syncs.note(write, replace(ran, rows=3, added=2, refused=1, refusals=(refusal,), version=1))
        syncs.note(write, replace(ran, run_id="2", started_at=NOW - SECOND, result="unchanged"))
        syncs.note(write, replace(ran, run_id="3", name="torn", result="failed", note=f"no answer {PAYLOAD}"))
        for seq, found in ((300, counted(search=(5, 4), popular=(20, 1))), (301, counted(search=(5, 5)))):
            series.store(write, "t0", replace(window(seq), counters=found, histograms=(), gauges=()))
    return sqlite_database


def test_sources_are_counted_over_a_day(kept):
    with kept.read() as read:
        assert sources(read, now=NOW) == (
            Brought(source="search", brought=10, shown=9, share=0.9),
            Brought(source="popular", brought=20, shown=1, share=0.1),
        )
        assert sources(read, now=NOW - 10**12) == ()


def test_the_page_tells_each_sync_and_every_refused_row(kept):
    app = run("system", surroundings(kept))
    assert not app.exception
    assert "2 items, 1 of them hidden; version 1" in told(app)
    (shown,) = [frame.value for frame in app.dataframe if "sync" in frame.value and "from" in frame.value]
    assert dict(zip(shown["sync"], shown["state"], strict=True)) == {
        "shop": "with refusals",
        "slow": "not run yet",
        "torn": "failed",
    }
    assert shown["refused"].astype(str).tolist()[0] == "1"
    (refused,) = [frame.value for frame in app.dataframe if "what to mend" in frame.value]
    assert refused["field"].tolist() == ["attributes.price"]
    assert PAYLOAD not in told(app)
    assert any("share of shown" in frame.value for frame in app.dataframe)


def test_an_empty_catalogue_says_what_to_do(sqlite_database):
    said = told(run("system", surroundings(sqlite_database)))
    assert "The catalogue is empty" in said and "No decision of the last day had candidates" in said
