"""Files of what a page shows: CSV, JSON and the bundle say what they are of, and run nothing."""

import csv
import io
import json
import zipfile
from hashlib import sha256

from dashboard.evidence import About, as_csv, as_json, bundle
from dashboard.pages.registry import PAGES
from tests.dashboard.drawn import run
from tests.dashboard.table_control import surroundings
from tests.dashboard.week import NOW, PAYLOAD

ABOUT = About(
    page="live",
    environment="test",
    start=0,
    end=3_600_000_000,
    zone="Europe/Berlin",
    read_at=3_601_000_000,
    newest_at=3_597_500_000,
    filters={"campaign": "=1+1"},
)
ROWS = [{"at": "1970-01-01T01:00:00+01:00", "item": "=cmd|' /C calc'!A0", "n": None, "rate": 0.25}]


def test_each_row_of_a_csv_says_what_it_is_of():
    data = as_csv(ABOUT, ROWS)
    (row,) = csv.DictReader(io.StringIO(data.decode("utf-8")))
    assert row["export_from"] == "1970-01-01T00:00:00Z"
    assert row["export_to"] == "1970-01-01T01:00:00Z"
    assert row["export_zone"] == "Europe/Berlin"
    assert row["export_filters"] == "campaign==1+1"
    assert row["export_newest_data_at"] == "1970-01-01T00:59:57.500000Z"
    assert row["item"].startswith("'=")
    assert row["n"] == ""
    assert data.endswith(b"\r\n")


def test_json_says_what_it_is_of_and_how_old_it_was():
    document = json.loads(as_json(ABOUT, "latency-chart", "Latency over time.", ROWS))
    assert document["about"]["data_age_s"] == 3.5
    assert document["about"]["filters"] == {"campaign": "=1+1"}
    assert document["rows"] == ROWS


def test_every_file_of_a_bundle_has_its_checksum_twice():
    data = bundle(ABOUT, {"a-chart": ("What.", ROWS)}, by="anna", head={"seq": 7, "hash": "bb"})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    sums = dict(reversed(line.split("  ")) for line in held.pop("SHA256SUMS").decode().splitlines())
    assert sums == {name: sha256(body).hexdigest() for name, body in held.items()}
    manifest = json.loads(held.pop("manifest.json"))
    assert manifest["ledger_head"] == {"seq": 7, "hash": "bb"}
    assert manifest["taken_by"] == "anna"
    assert {name: one["sha256"] for name, one in manifest["files"].items()} == {
        name: sha256(body).hexdigest() for name, body in held.items()
    }
    assert bundle(ABOUT, {"a-chart": ("What.", ROWS)}, by="anna", head={"seq": 7, "hash": "bb"}) == data


def test_without_a_head_a_bundle_says_why():
    data = bundle(ABOUT, {}, by="anna", head=None, why="the control API does not answer")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert json.loads(archive.read("manifest.json"))["ledger_head"] == {
            "missing": "the control API does not answer"
        }


def test_a_page_keeps_the_numbers_of_every_chart_and_table_with_its_range(week):
    app = run("live", surroundings(week), range="Last 24 h", refresh="Off", campaign="men")
    kept = app.session_state["shown"]
    assert {"latency-chart", "replicas-table"} <= kept.numbers.keys()
    assert kept.about.end - kept.about.start == 24 * 3_600 * 1_000_000
    assert kept.about.filters == {"campaign": "men"}
    assert kept.about.read_at == NOW
    assert ("Latency", True) in {(title, bool(words)) for title, words in kept.words.values()}


def test_what_is_masked_on_the_page_is_masked_in_its_files(week):
    kept = run("heatmaps", surroundings(week)).session_state["shown"]
    rows = [row for _, held in kept.numbers.values() for row in held if row.get("mask") in {"few", "private"}]
    assert all(row["click_rate"] is None for row in rows)


def test_a_cell_that_a_spreadsheet_would_run_is_quoted_in_tables_too(week):
    for page in ("segments", "rules", "ledger"):
        app = run(page, surroundings(week))
        texts = [str(one) for frame in app.dataframe for one in frame.value.to_numpy().ravel()]
        assert not [one for one in texts if one.startswith(("=", "@", "+cmd"))]


def test_help_lists_the_words_of_the_page(week):
    app = run("live", surroundings(week))
    app.button(key="help").click().run()
    assert not app.exception
    told = "\n".join(str(one.value) for one in app.markdown)
    assert "opens this help" in told
    assert "**Latency**" in told
    assert next(page.question for page in PAGES if page.key == "live") in told


def test_a_picture_is_drawn_only_when_asked_for(week):
    app = run("live", surroundings(week), refresh="Off")
    before = len(app.get("plotly_chart"))
    app.toggle(key="latency-chart-picture").set_value(True).run()
    assert not app.error
    assert len(app.get("plotly_chart")) == before + 1
    titles = [json.loads(one.proto.spec)["layout"].get("title", {}) for one in app.get("plotly_chart")]
    (framed,) = [title for title in titles if title]
    assert framed["text"] == "Latency"
    assert "UTC<br>read 2026-" in framed["subtitle"]["text"]


def test_no_payload_is_run_by_a_file(week):
    kept = run("heatmaps", surroundings(week), rows="All rows").session_state["shown"]
    told = as_csv(kept.about, [{"name": PAYLOAD, "formula": "=1+1"}]).decode()
    assert '"\'=1+1"' in told
