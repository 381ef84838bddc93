"""A stretch of a real copy's life, with all that its pages say of it and all that it wrote down."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import orjson

from collectors import kpis
from dashboard.queries import (
    buckets,
    campaign_strip,
    caps,
    cell_trend,
    consent,
    contrast,
    desks,
    heatmaps,
    insights,
    live,
    overview,
)
from dashboard.span import Span
from storage import campaigns, findings
from storage.cursors import positions
from storage.database import Database
from storage.records import clock
from storage.records.clock import HOUR, MINUTE, SECOND
from tests.e2e import rawrows
from tests.e2e.installation import Copy, until
from tests.e2e.rawrows import CELL
from tests.e2e.visitors import CAMPAIGNS, Visitors, live_through, own_token, process_of

ZONE = "Asia/Tokyo"
WINDOW = 10 * SECOND
TRIES = 12
ROWS: tuple[heatmaps.Rows, ...] = ("real", "simulated", "all")


@dataclass
class Lived:
    """``said`` holds what the dashboard's queries gave, ``raw`` the rows they must follow from; ``before`` and
    ``after`` are what /metrics told around it. Nobody else asked from ``began`` to ``ended``, both ends of a window."""

    days: Span
    minutes: Span
    began: int
    ended: int
    said: dict[str, Any]
    raw: duckdb.DuckDBPyConnection
    before: dict[Any, float]
    after: dict[Any, float]
    policy: dict[str, Any]
    campaigns: dict[str, dict[str, Any]]
    caps: list[dict[str, Any]]
    ready: dict[str, Any]
    visitors: Visitors

    def rows(self, sql: str, **bound: Any) -> list[tuple[Any, ...]]:
        """Ask the raw rows; ``$a`` and ``$b`` stand for the days, ``$s`` and ``$e`` for the minutes, ``$f`` and
        ``$t`` for the time in between when nobody else asked."""
        spans = {"a": self.days.start, "b": self.days.end, "s": self.minutes.start, "e": self.minutes.end}
        spans |= {"f": self.began, "t": self.ended}
        known = {name: value for name, value in (spans | bound).items() if re.search(rf"\${name}\b", sql)}
        return self.raw.execute(sql, known).fetchall()

    def gained(self, name: str, **labels: str) -> dict[str, float]:
        """What a family's samples with these labels gained, summed by ``le`` (``""`` where there is none)."""
        sums: dict[str, float] = {}
        for (sample, carried), value in self.after.items():
            told = dict(carried)
            if sample == name and labels.items() <= told.items():
                edge = told.get("le", "")
                sums[edge] = sums.get(edge, 0.0) + value - self.before.get((sample, carried), 0.0)
        return sums


@contextmanager
def nobody_else(copy: Copy) -> Iterator[None]:
    """Hold the copy's own traffic still, so that nothing is under way when a window closes."""
    pids = process_of(copy, "traffic")
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _closed(copy: Copy, token: str, *, collector: str, since: int) -> tuple[int, dict[Any, float]]:
    """Wait until a metric window has closed that ended after ``since``; return its end, and what /metrics tells before
    anybody has asked again (the consent probe asks when it likes)."""
    for _ in range(TRIES):
        ended = until(partial(_ends, copy, collector, after=since), within_s=30.0)
        assert ended, copy.logs()
        told = rawrows.exposed(copy.engine, collector)
        later = [one for one in rawrows.journal(copy.engine, token) if one["at"] >= ended[0]]
        if all(one["kind"] != "decision" for one in later):
            return ended[0], told
        since = clock.now()
    raise AssertionError(f"somebody asked before each of {TRIES} windows could be read")


def _ends(copy: Copy, collector: str, *, after: int) -> list[int]:
    return [one["end"] for one in rawrows.windows(copy.engine, collector) if one["end"] > after]


def _collected(copy: Copy, database: Database, token: str, ended: int) -> int | None:
    """Return where the engine's journal ends, once the collectors have all of it."""
    page = rawrows.get(copy.engine, token, "/v1/journal", after=2**60).json()
    with database.read() as read:
        places = positions(read, f"journal:{page['replica']}:")
        newest = live.newest(read, span=Span(key="1h", start=ended - HOUR, end=ended, zone="UTC", live=True))
    seq = orjson.loads(places.get(page["log"], '{"seq": 0}'))["seq"]
    head: int = page["head"]
    return head if seq == head and newest is not None and newest >= ended - WINDOW else None


def _said(database: Database, days: Span, minutes: Span) -> dict[str, Any]:
    """Ask every query of Overview, Live, Heatmaps and Consent, of one and the same state."""
    with database.read() as read:
        grids = {}
        for rows in ROWS:
            for campaign in (None, "men"):
                asked: dict[str, Any] = {"campaign": campaign, "span": days, "rows": rows, "level": "finest"}
                grids["hours", rows, campaign] = heatmaps.by_hour(read, **asked)
                grids["items", rows, campaign] = heatmaps.by_position_item(read, **asked)
            for attribute in heatmaps.attributes(read, span=days, rows=rows):
                grids["segments", rows, attribute] = heatmaps.by_segment(
                    read, attribute=attribute, span=days, rows=rows, level="finest"
                )
        return {
            "lines": overview.campaign_lines(read, span=days),
            "hits": {
                key: kpis.hit_rate(read, start=days.start, end=days.end, campaign=key, origins=heatmaps.origins("real"))
                for key in CAMPAIGNS
            },
            "origins": overview.by_origin(read, span=days),
            "over time": overview.over_time(read, span=days),
            "liveness": overview.liveness(read, now=clock.now()),
            "grids": grids,
            "pulse": live.pulse(read, span=minutes),
            "outcomes": live.outcomes(read, span=minutes),
            "stages": live.stages(read, span=minutes),
            "caches": live.caches(read, span=minutes),
            "differences": contrast.compare(
                read, here=[(minutes.start, minutes.end)], rest=[(minutes.before().start, minutes.start)]
            ),
            "confidence": live.confidence(read, span=minutes),
            "consent": consent.state(read, span=minutes, now=clock.now()),
            "strips": {
                one.campaign.key: campaign_strip.strip(read, campaign=one.campaign, span=minutes)
                for one in campaigns.listed(read)
                if one.campaign.key in CAMPAIGNS
            },
            "caps": caps.effects(read, span=minutes),
            "desks": desks.campaigns(read, span=minutes, minute=clock.now() // MINUTE),
            "buckets": buckets.buckets(read, span=minutes),
            "late": {
                (rows, campaign): heatmaps.whole(read, campaign=campaign, span=days, rows=rows).late
                for rows in ROWS
                for campaign in (None, "men")
            },
            "known": sorted(one.campaign.key for one in campaigns.listed(read)),
        }


def _opened(database: Database, days: Span, grids: dict[Any, Any]) -> dict[Any, Any]:
    """Open the busiest cell of each heatmap: its days, and what was shown most in it."""
    found = {}
    with database.read() as read:
        for (kind, rows, which), grid in grids.items():
            tile = max(grid.tiles, key=lambda one: (one.impressions, one.row, one.column))
            campaign = which if which in CAMPAIGNS else None
            about: dict[str, Any] = {"kind": kind, "tile": tile, "campaign": campaign, "span": days, "rows": rows}
            by_day = cell_trend.days(read, **about)
            within = tuple(stretch for day in by_day for stretch in day.ranges)
            found[kind, rows, which] = (tile, by_day, cell_trend.top_items(read, **about, within=within))
    return found


AUDITS: dict[str, dict[str, Any]] = {
    "experiments": {},
    "insights": {},
    "fairness": {"origins": ["live"], "attributes": ["user_feature_0"], "metrics": ["click_rate"]},
}


def _audited(visitors: Visitors, database: Database, days: Span) -> dict[str, Any]:
    """Let control count what it counts in jobs; return what they found, and what stands beside an industry."""
    ordered = {name: visitors.command("/jobs", name=name, arguments=asked) for name, asked in AUDITS.items()}
    told: dict[str, Any] = {}
    for name, job in ordered.items():

        def ended(path: str = f"/jobs/{job['job_id']}") -> Any:
            found = visitors.control.get(path).json()
            return found if found["state"] in {"done", "failed"} else None

        done = until(ended, within_s=120.0, every_s=0.5)
        assert done and done["state"] == "done", done
        with database.read() as read:
            told[name] = next(one for one in findings.audits(read, name, limit=5) if job["job_id"] in one.audit_id)
    with database.read() as read:
        return told | {"beside": {one.metric: one.own for one in insights.beside(read, span=days)}}


def _both(
    copy: Copy, database: Database, token: str, said: Callable[[], dict[str, Any]], *, ended: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the journal and what is said of just that much of it (the consent probe decides when it likes)."""
    for _ in range(TRIES):
        head = until(partial(_collected, copy, database, token, ended), within_s=90.0)
        assert head, copy.logs()
        told = said()
        entries = rawrows.journal(copy.engine, token)
        if entries[-1]["seq"] == head:
            return entries, told
    raise AssertionError(f"the journal grew during each of {TRIES} readings of the pages' queries")


def live_on(copy: Copy, token: str, folder: Path) -> Lived:
    """Let visitors come, wait until all of it was collected, and write down both sides."""
    watcher, database = own_token(copy, "collector"), Database(f"sqlite:///{copy.home / 'fairlead.db'}")
    visitors = Visitors(copy, token)
    with nobody_else(copy):
        began, before = _closed(copy, token, collector=watcher, since=clock.now() + SECOND // 2)
        with database.read() as read:
            spread = consent.state(read, span=Span(key="1h", start=0, end=1, zone=ZONE, live=True), now=0).spread
        live_through(visitors, simulate=own_token(copy, "traffic"))
        time.sleep(1.2)  # receipts carry the propagation once a second
        ended, after = _closed(copy, token, collector=watcher, since=clock.now())
        minutes = Span(key="1h", start=began // WINDOW * WINDOW, end=ended // WINDOW * WINDOW, zone=ZONE, live=True)
        days = Span(
            key="custom", start=(began - 40 * HOUR) // CELL * CELL, end=(ended // CELL + 1) * CELL, zone=ZONE, live=True
        )
        entries, said = _both(copy, database, token, partial(_said, database, days, minutes), ended=ended)
        said |= {"cells": _opened(database, days, said["grids"]), **_audited(visitors, database, days)}
        raw = rawrows.load(
            folder,
            entries=entries,
            told=rawrows.windows(copy.engine, watcher),
            home=copy.home,
        )
        newest = visitors.control.get("/decisions", params={"start": began, "end": ended, "limit": 200})
        policy = visitors.control.get("/policies/home").json()
        known = visitors.control.get("/campaigns").json()["campaigns"]
        capped = visitors.control.get("/caps").json()["caps"]
        ready = visitors.engine.get("/readyz").json()
    visitors.leave()
    database.close()
    return Lived(
        days=days,
        minutes=minutes,
        began=began,
        ended=ended,
        said=said | {"spread before": spread, "newest": newest.json()["decisions"]},
        raw=raw,
        before=before,
        after=after,
        policy=policy,
        campaigns={one["campaign"]["key"]: one["campaign"] for one in known},
        caps=capped,
        ready=ready,
        visitors=visitors,
    )
