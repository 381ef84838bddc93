"""Catalogue syncs from real files, real databases and real HTTP servers, on SQLite and PostgreSQL."""

import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pyarrow
import pytest
from pyarrow import parquet

from collectors.catalogue import Syncing, due, sync_catalogue, sync_task
from storage import catalogue, leases, syncs
from storage.errors import Unavailable
from storage.records.clock import MINUTE, SECOND
from storage.records.syncs import CatalogueSync, ItemMapping
from storage.records.tasks import SCHEDULE_LEASE

START = 1_760_000_000_000_000
CSV = "item_id,title,price,stock\na,Coat,10,3\nb,Hat,5,\nc,Scarf,cheap,1\n"
MAPPING = ItemMapping(stock="stock")


class Clock:
    def __init__(self):
        self.at = START

    def __call__(self):
        self.at += SECOND
        return self.at


@pytest.fixture
def context(database, home):
    return Syncing(database=database, home=home, now=Clock(), secrets={"FAIRLEAD_SECRET_SHOP": "key-of-the-shop"})


def items(context):
    with context.database.read() as read:
        return {item.item_id: item for item in catalogue.load(read).items}


class Shop:
    """A shop's own server: what it serves, what it was asked, whether it knows tags."""

    def __init__(self):
        self.body, self.media, self.status, self.tag = b"[]", "application/json", 200, '"1"'
        self.asked = []

    @contextmanager
    def serving(self):
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                shop.asked.append(dict(self.headers.items()))
                known = shop.tag and self.headers["if-none-match"] == shop.tag
                status = 304 if known else shop.status
                self.send_response(status)
                self.send_header("content-type", shop.media)
                self.send_header("etag", shop.tag)
                self.send_header("location", "http://127.0.0.1:1/")
                self.send_header("content-length", "0" if known else str(len(shop.body)))
                self.end_headers()
                if not known:
                    self.wfile.write(shop.body)

            def log_message(self, *_):
                """Keep the test's output clean."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def test_a_file_is_read_with_a_report_and_again_only_when_it_changed(context, home):
    (home / "shop.csv").write_text(CSV)
    sync = CatalogueSync(source="file", location="shop.csv", mapping=MAPPING)
    first = sync_catalogue(context, "shop", sync)
    assert (first.result, first.rows, first.added, first.refused, first.version) == ("ok", 3, 2, 1, 1)
    assert [(each.row, each.field) for each in first.refusals] == [(3, "attributes.price")]
    assert items(context)["a"].attributes == {"price": 10.0} and items(context)["b"].stock is None
    again = sync_catalogue(context, "shop", sync)
    assert (again.result, again.version) == ("unchanged", 1)
    (home / "shop.csv").write_text(CSV.replace("cheap", "2"))
    mended = sync_catalogue(context, "shop", sync)
    assert (mended.result, mended.added, mended.changed, mended.unchanged, mended.refused) == ("ok", 1, 0, 2, 0)
    with context.database.read() as read:
        kept = syncs.runs(read, "shop")
    assert [run.result for run in kept] == ["ok", "unchanged", "ok"] and kept[2].refusals == first.refusals


@pytest.mark.parametrize("ending", ["parquet", "json", "ndjson"])
def test_other_formats_bring_the_same_items(context, home, ending):
    rows = [{"item_id": "a", "title": "Coat", "price": 10.0}, {"item_id": "b", "title": "Hat", "price": None}]
    path = home / f"shop.{ending}"
    if ending == "parquet":
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    elif ending == "json":
        path.write_bytes(orjson.dumps({"data": {"items": [*rows, 3]}}))
    else:
        path.write_bytes(b"\n".join([*map(orjson.dumps, rows), b"{broken"]))
    run = sync_catalogue(context, "s", CatalogueSync(source="file", location=str(path), records="data.items"))
    assert (run.result, run.added, run.refused) == ("ok", 2, 0 if ending == "parquet" else 1)
    assert items(context)["a"].attributes == {"price": 10.0} and items(context)["b"].attributes == {}


def test_an_sql_source_is_read_and_never_written(context, home):
    with sqlite3.connect(home / "shop.db") as shop:
        shop.execute("CREATE TABLE products (sku TEXT, name TEXT, cost REAL)")
        shop.executemany("INSERT INTO products VALUES (?, ?, ?)", [("a", "Coat", 9.5), ("b", "Hat", None)])
    sync = CatalogueSync(
        source="sql",
        location=f"sqlite:///{home / 'shop.db'}",
        query="SELECT sku, name, cost AS price FROM products",
        mapping=ItemMapping(item_id="sku", title="name"),
    )
    assert sync_catalogue(context, "shop", sync).added == 2
    assert sync_catalogue(context, "shop", sync).unchanged == 2
    assert items(context)["a"].attributes == {"price": 9.5}
    bad = sync_catalogue(context, "shop", replace(sync, query="DELETE FROM products RETURNING sku"))
    assert bad.result == "failed" and "refused" in bad.note
    with sqlite3.connect(home / "shop.db") as shop:
        assert shop.execute("SELECT count(*) FROM products").fetchone() == (2,)


def test_a_postgres_source_is_read_only(postgres_database, sqlite_database, home):
    context = Syncing(database=sqlite_database, home=home, now=Clock())
    url = postgres_database.url.render_as_string(hide_password=False)
    sync = CatalogueSync(
        source="sql", location=url, query="SELECT 'a' AS item_id, 1.50::numeric AS price, now() AS since"
    )
    assert sync_catalogue(context, "shop", sync).added == 1
    assert items(context)["a"].attributes["price"] == 1.5
    writing = replace(sync, query="INSERT INTO counters VALUES ('x', 1) RETURNING name AS item_id")
    assert sync_catalogue(context, "shop", writing).result == "failed"


def test_an_http_source_is_asked_with_its_secret_and_its_tag(context):
    shop = Shop()
    shop.body = orjson.dumps([{"item_id": "a", "price": 1}])
    with shop.serving() as url:
        sync = CatalogueSync(source="http", location=f"{url}/items", headers={"authorization": "Bearer ${SHOP}"})
        assert sync_catalogue(context, "shop", sync).added == 1
        assert shop.asked[0]["authorization"] == "Bearer key-of-the-shop"
        assert sync_catalogue(context, "shop", sync).result == "unchanged"
        assert sync_catalogue(context, "shop", sync, force=True).result == "ok"
        shop.tag, shop.body = '"2"', orjson.dumps([{"item_id": "a", "price": 2}])
        assert sync_catalogue(context, "shop", sync).changed == 1
        shop.media = "text/plain"
        assert sync_catalogue(context, "shop", sync, force=True).note.startswith("format:")
        assert sync_catalogue(context, "shop", replace(sync, format="json"), force=True).result == "ok"


@pytest.mark.parametrize(
    ("status", "body", "most_mb", "said"),
    [
        (302, b"", 1, "status 302"),
        (500, b"", 1, "status 500"),
        (200, b"<html>", 1, "no valid JSON"),
        (200, b'{"a": 1}', 1, "records"),
        (200, b" " * (1 << 20) + b"[]", 1, "larger than 1 MB"),
        (200, b'[{"item_id": ""}]', 1, "every row was refused"),
    ],
)
def test_what_a_server_does_wrong_is_told_and_changes_nothing(context, status, body, most_mb, said):
    shop = Shop()
    with shop.serving() as url:
        sync = CatalogueSync(source="http", location=url, most_mb=most_mb)
        shop.body = b'[{"item_id": "a"}]'
        sync_catalogue(context, "shop", sync)
        shop.tag, shop.status, shop.body = '"2"', status, body
        run = sync_catalogue(context, "shop", sync)
    assert run.result == "failed" and said in run.note and set(items(context)) == {"a"}


def test_absent_sources_and_secrets_are_told_with_their_remedy(context):
    for sync, said in (
        (CatalogueSync(source="file", location="nowhere.csv"), "location: there is no file"),
        (CatalogueSync(source="http", location="http://127.0.0.1:1/x"), "does not answer"),
        (CatalogueSync(source="http", location="http://x/${GONE}"), "set FAIRLEAD_SECRET_GONE"),
        (CatalogueSync(source="sql", location="oracle://x/y", query="SELECT 1"), "location"),
    ):
        run = sync_catalogue(context, "shop", sync)
        assert run.result == "failed" and said in run.note, run.note


def test_what_vanishes_is_hidden_unless_it_is_too_much_or_was_refused(context, home):
    path, sync = home / "s.csv", CatalogueSync(source="file", location="s.csv", vanished="hide", hide_at_most=0.5)
    head = "item_id,price\n"
    path.write_text(head + "a,1\nb,1\nc,1\nd,1\n")
    sync_catalogue(context, "shop", sync)
    with context.database.write() as write:
        catalogue.upsert(write, [replace(items(context)["a"], item_id="own")], now=START)
    path.write_text(head + "a,1\nb,broken\nc,1\n")
    run = sync_catalogue(context, "shop", sync)
    assert (run.result, run.hidden, run.refused) == ("ok", 1, 1)
    assert {key for key, item in items(context).items() if item.hidden} == {"d"}
    path.write_text(head + "a,1\n")
    run = sync_catalogue(context, "shop", sync)
    assert run.result == "failed" and "2 of 3" in run.note
    assert {key for key, item in items(context).items() if item.hidden} == {"d"}
    path.write_text(head + "a,1\nb,1\nc,1\nd,2\n")
    assert sync_catalogue(context, "shop", sync).changed == 1
    assert not any(item.hidden for item in items(context).values())


def test_the_clock_begins_what_is_due_and_a_former_leader_brings_nothing(context, home):
    (home / "s.csv").write_text(CSV)
    sync = CatalogueSync(source="file", location="s.csv", every_s=60)
    with context.database.write() as write:
        token = leases.acquire(write, SCHEDULE_LEASE, "me", now=START, ttl_us=MINUTE)
        syncs.declare(write, "shop", sync)
        syncs.declare(write, "off", replace(sync, enabled=False))
    before = set(threading.enumerate())
    sync_task(context).run(token)
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert set(items(context)) == {"a", "b"}
    with context.database.read() as read:
        latest = syncs.latest(read, "shop")
        assert due(read, latest.started_at + 59 * SECOND) == []
        assert [name for name, _ in due(read, latest.started_at + 60 * SECOND)] == ["shop"]
    with pytest.raises(Unavailable):
        sync_catalogue(context, "shop", sync, force=True, fence=token + 1)


def test_only_so_many_runs_are_kept(context, home, monkeypatch):
    monkeypatch.setattr(syncs, "MOST_RUNS", 3)
    sync = CatalogueSync(source="file", location="s.csv")
    for place in range(5):
        (home / "s.csv").write_text(f"item_id\n{'x' * (place + 1)}\n")
        sync_catalogue(context, "shop", sync)
    with context.database.read() as read:
        kept = syncs.runs(read, "shop")
    assert len(kept) == 3 and [run.version for run in kept] == [5, 4, 3]


def test_a_large_source_comes_in_batches_and_a_run_that_was_cut_off_is_gone_on_with(context, home, monkeypatch):
    monkeypatch.setattr("collectors.catalogue.BATCH", 3)
    (home / "s.csv").write_text("item_id\n" + "".join(f"i{place}\n" for place in range(8)))
    sync = CatalogueSync(source="file", location="s.csv", vanished="hide", hide_at_most=1.0)
    first = sync_catalogue(context, "shop", sync)
    assert (first.added, first.unchanged, first.version) == (8, 0, 3)
    (home / "s.csv").write_text("item_id,price\ni0,1\n" + "".join(f"n{place},1\n" for place in range(4)))
    second = sync_catalogue(context, "shop", sync)
    assert (second.added, second.changed, second.unchanged, second.hidden) == (4, 1, 0, 7)
    assert {key for key, item in items(context).items() if not item.hidden} == {"i0", "n0", "n1", "n2", "n3"}
    third = sync_catalogue(context, "shop", sync, force=True)
    assert (third.added, third.changed, third.unchanged, third.hidden, third.version) == (0, 0, 5, 0, second.version)
