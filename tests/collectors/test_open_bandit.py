"""The import: every trap of the data, on small wheels shaped like the real one; and once on the real one."""

import csv
import io
import json
import math
import os
import subprocess
import zipfile
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from sqlmodel import select

from collectors.bandit_files import CAMPAIGNS, FEATURES, POLICIES, ROOT
from collectors.kpis import hit_rate
from collectors.open_bandit import SHA256, WHEEL, fetch_wheel, import_open_bandit
from storage import catalogue, cells
from storage.errors import Invalid, Unavailable
from storage.lake import Lake
from storage.records.clock import instant
from storage.tables.observed import CellRow, ImportRow, LakeFileRow

NOW = 1_800_000_000_000_000
END = 1 << 60
ITEMS = 3
HEADER = ["", "timestamp", "item_id", "position", "click", "propensity_score", *FEATURES, "user-item_affinity_0"]
GOOD = ["0", "2019-11-24 00:03:13.442536+00:00", "1", "3", "0", "0.0294", "u0", "u1", "u2", "u3", "0.0"]


def row(**fields):
    named = dict(zip(HEADER, GOOD, strict=True)) | {key: str(value) for key, value in fields.items()}
    return [named[name] for name in HEADER]


def sheet(header, rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def context(policy, *, split=(0, 0, 1)):
    salt = {"random": "r", "bts": "b"}[policy]
    header = ["", "item_id", "item_feature_0", "item_feature_1", "item_feature_2", "item_feature_3"]
    rows = [
        [place, place, -0.5 * place, f"{salt}1-{split[place]}", f"{salt}2-{place}", f"{salt}3"]
        for place in range(ITEMS)
    ]
    return sheet(header, rows)


def wheel(folder, logs=None, contexts=None):
    """Write a wheel whose files hold one good row each, unless told otherwise."""
    path = folder / "obp-0.4.1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for policy in POLICIES:
            for campaign in CAMPAIGNS:
                where = f"{ROOT}/{policy}/{campaign}"
                rows = (logs or {}).get((policy, campaign), [row()])
                text = rows if isinstance(rows, str) else sheet(HEADER, rows)
                archive.writestr(f"{where}/{campaign}.csv", text)
                archive.writestr(f"{where}/item_context.csv", (contexts or {}).get((policy, campaign), context(policy)))
    return path


@pytest.fixture
def lake(home):
    return Lake(home / "lake")


def decisions(database, lake):
    with database.read() as read:
        return sorted(lake.decisions(read, start=0, end=END, limit=10**6), key=lambda made: made.decision_id)


def test_a_row_becomes_a_decision_of_one_slot(database, lake, tmp_path):
    logs = {("bts", "men"): [row(click=1, propensity_score="1e-06")]}
    report = import_open_bandit(database, lake, wheel=wheel(tmp_path, logs), now=NOW)
    assert (report.rows, report.impressions, report.clicks, report.refused, report.items) == (6, 6, 1, 0, 9)
    (made,) = [made for made in decisions(database, lake) if made.policy == "bts" and made.campaign == "men"]
    at = instant(datetime.fromisoformat(GOOD[1]))
    assert (made.at, made.surface, made.slots, made.items, made.positions) == (at, "home", 1, ("men-1",), (3,))
    assert (made.subject, made.session, made.consent, made.origin) == (None, None, None, "imported")
    assert (made.propensity, made.propensity_kind, made.assume_impression) == ((1e-06,), "marginal", False)
    assert made.context == {
        "user_feature_0": "u0",
        "user_feature_1": "u1",
        "user_feature_2": "u2",
        "user_feature_3": "u3",
    }
    assert made.decision_id[14] == "7"
    with database.read() as read:
        assert [event.type for event in lake.outcomes(read, made.decision_id)] == ["click", "impression"]
        assert lake.decision(read, made.decision_id) == made
        (cell,) = cells.totals(read, start=0, end=END, campaign="men", by=())
        segments = cells.by_segment(read, campaign="men", start=0, end=END)
        rate = hit_rate(read, start=0, end=END, campaign="men")
    assert (cell.impressions, cell.clicks, cell.hit_decisions, cell.shown_decisions) == (2, 1, 1, 2)
    assert segments and all(one.users is None for one in segments), "unknown, not zero"
    assert (rate.hits, rate.n, rate.open_n) == (1, 2, 0)


def test_items_are_namespaced_and_their_categories_come_from_one_folder(sqlite_database, lake, tmp_path):
    import_open_bandit(sqlite_database, lake, wheel=wheel(tmp_path), now=NOW)
    with sqlite_database.read() as read:
        items = {item.item_id: item for item in catalogue.load(read).items}
        assert catalogue.version(read) == 1
    assert sorted(items) == sorted(f"{campaign}-{place}" for campaign in CAMPAIGNS for place in range(ITEMS))
    assert items["men-2"].attributes == {
        "campaign": "men",
        "item_feature_0": -1.0,
        "item_feature_1": "r1-1",
        "item_feature_2": "r2-2",
        "item_feature_3": "r3",
    }


def test_a_category_by_which_the_folders_differ_is_left_out_and_said(sqlite_database, lake, tmp_path):
    contexts = {("bts", "women"): context("bts", split=(0, 1, 1))}
    report = import_open_bandit(sqlite_database, lake, wheel=wheel(tmp_path, contexts=contexts), now=NOW)
    assert any("women: item_feature_1" in note for note in report.notes)
    with sqlite_database.read() as read:
        items = {item.item_id: item for item in catalogue.load(read).items}
    assert "item_feature_1" not in items["women-0"].attributes
    assert items["men-0"].attributes["item_feature_1"] == "r1-0"


def test_refused_rows_are_counted_with_reasons_and_good_ones_come_in(sqlite_database, lake, tmp_path):
    bad = [
        row(timestamp="yesterday"),
        row(timestamp="2019-11-24 00:03:13"),
        row(item_id="99"),
        row(item_id="1.5"),
        row(item_id=""),
        row(position="0"),
        row(position="NaN"),
        row(click="2"),
        row(click=""),
        row(propensity_score="0"),
        row(propensity_score="-0.1"),
        row(propensity_score="1.01"),
        row(propensity_score="inf"),
        row(propensity_score="nan"),
        ["short", "row"],
    ]
    good = [
        row(timestamp="2019-11-24 00:03:13+00:00"),
        row(timestamp="2019-11-24 09:03:13.5+09:00"),
        row(user_feature_2=""),
    ]
    path = wheel(tmp_path, {("random", "all"): [*bad, *good]})
    done = []
    report = import_open_bandit(sqlite_database, lake, wheel=path, now=NOW, progress=lambda *step: done.append(step))
    assert report.reasons == {"timestamp": 2, "item": 3, "position": 2, "click": 2, "propensity": 5, "columns": 1}
    assert (report.refused, report.rows) == (15, 5 + len(good))
    assert done[-1] == (23, 23)
    assert all(earlier[0] <= later[0] for earlier, later in pairwise(done))
    made = [made for made in decisions(sqlite_database, lake) if (made.policy, made.campaign) == ("random", "all")]
    assert {made.at % 86_400_000_000 for made in made} == {193_000_000, 193_500_000, 193_442_536}
    assert [sorted(made.context) for made in made if len(made.context) == 3] == [
        ["user_feature_0", "user_feature_1", "user_feature_3"]
    ]
    with sqlite_database.read() as read:
        stored = read.get(ImportRow, "open-bandit")
    assert (stored.rows, stored.refused, json.loads(stored.report)["reasons"]) == (8, 15, dict(report.reasons))


def everything(database, lake):
    with database.read() as read:
        files = [row.model_dump() for row in read.all(select(LakeFileRow).order_by(LakeFileRow.path))]
        order = (CellRow.campaign, CellRow.start, CellRow.cube, CellRow.a, CellRow.b)
        rows = [row.model_dump() for row in read.all(select(CellRow).order_by(*order))]
        return files, rows, catalogue.load(read), decisions(database, lake)


def test_a_second_import_changes_nothing(database, lake, tmp_path):
    path = wheel(tmp_path, {("random", "all"): [row(click=1), row(click=1), row(item_id=2)]})
    first = import_open_bandit(database, lake, wheel=path, now=NOW)
    before = everything(database, lake)
    again = import_open_bandit(database, lake, wheel=path, now=NOW + 1)
    assert again.already
    assert (again.rows, again.clicks, again.reasons, again.notes) == (first.rows, first.clicks, {}, first.notes)
    assert everything(database, lake) == before
    assert len({made.decision_id for made in before[3]}) == first.rows, "equal rows stay two rows"


def test_an_interrupted_import_is_made_whole_by_the_next(sqlite_database, lake, tmp_path, monkeypatch):
    path = wheel(tmp_path)

    def broken(*_args, **_kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("storage.catalogue.upsert", broken)
        with pytest.raises(KeyboardInterrupt):
            import_open_bandit(sqlite_database, lake, wheel=path, now=NOW)
    assert decisions(sqlite_database, lake) == []
    report = import_open_bandit(sqlite_database, lake, wheel=path, now=NOW)
    assert (report.already, report.rows) == (False, 6)
    assert len(decisions(sqlite_database, lake)) == 6


@pytest.mark.parametrize("fault", ["not a zip", "no files", "columns", "items", "truncated"])
def test_what_is_not_that_wheel_is_said_to_be_none(sqlite_database, lake, tmp_path, fault):
    path = wheel(tmp_path)
    if fault == "not a zip":
        path.write_bytes(b"<html>")
    elif fault == "no files":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("other.txt", "x")
    elif fault == "columns":
        path = wheel(tmp_path, {("random", "all"): "a,b\n1,2\n"})
    elif fault == "items":
        path = wheel(tmp_path, contexts={("random", "all"): "a,b\n1,2\n"})
    else:
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(Invalid, match=r"wheel|obp"):
        import_open_bandit(sqlite_database, lake, wheel=path, now=NOW)
    with sqlite_database.read() as read:
        assert read.all(select(LakeFileRow)) == []


def test_an_unknown_wheel_is_noted(sqlite_database, lake, tmp_path):
    report = import_open_bandit(sqlite_database, lake, wheel=wheel(tmp_path), now=NOW)
    assert any("SHA-256 differs" in note for note in report.notes)


def test_a_wheel_that_cannot_be_had_says_what_to_do(tmp_path, monkeypatch):
    asked = []

    def offline(command, **_kwargs):
        asked.append(command)
        return subprocess.CompletedProcess(command, 1, b"", b"no network")

    monkeypatch.setattr("collectors.open_bandit.subprocess.run", offline)
    (tmp_path / WHEEL).write_bytes(b"damaged")
    with pytest.raises(Unavailable, match="synthetic preset"):
        fetch_wheel(tmp_path)
    (command,) = asked
    assert {"--no-deps", "--require-hashes"}.issubset(command)
    assert not any("://" in word for word in command)
    assert list(tmp_path.iterdir()) == [tmp_path / WHEEL], "nothing half done is left"


@pytest.mark.e2e
def test_the_real_wheel(sqlite_database, lake, tmp_path):
    named = os.environ.get("FAIRLEAD_OBP_WHEEL")
    try:
        path = Path(named) if named else fetch_wheel(tmp_path)
    except Unavailable as error:
        pytest.skip(f"the Open Bandit wheel is not here and cannot be downloaded: {error}")
    if named:
        folder = tmp_path / "downloads"
        folder.mkdir()
        (folder / WHEEL).symlink_to(path)
        assert fetch_wheel(folder) == folder / WHEEL, f"{named} is not the wheel with SHA-256 {SHA256}"
    report = import_open_bandit(sqlite_database, lake, wheel=path, now=NOW)
    assert (report.rows, report.clicks, report.items, report.refused, report.notes) == (60_000, 287, 160, 0, ())
    raw = {}
    with zipfile.ZipFile(path) as archive:
        for policy in POLICIES:
            for campaign in CAMPAIGNS:
                text = archive.read(f"{ROOT}/{policy}/{campaign}/{campaign}.csv").decode()
                for line in csv.DictReader(io.StringIO(text)):
                    at = datetime.fromisoformat(line["timestamp"])
                    key = (campaign, str(at.weekday()), str(at.hour))
                    shown, clicked = raw.get(key, (0, 0))
                    raw[key] = (shown + 1, clicked + int(line["click"]))
    with sqlite_database.read() as read:
        for campaign in CAMPAIGNS:
            found = cells.by_hour(read, campaign=campaign, start=0, end=END, zone="UTC")
            assert {(campaign, cell.a, cell.b): (cell.impressions, cell.clicks) for cell in found} == {
                key: counts for key, counts in raw.items() if key[0] == campaign
            }
        with lake.connect(read) as connection:
            (lowest,) = connection.execute("SELECT min(propensity[1]) FROM decisions").fetchall()
            (combinations,) = connection.execute("SELECT count(DISTINCT context) FROM decisions").fetchall()
    assert math.isclose(lowest[0], 1e-6)
    assert combinations == (337,)
