"""The collectors against the real engine: what it counted and logged is what is stored, through a graceful restart."""

import time

import pytest

from collectors.client import Client
from collectors.journal import poll_journal
from collectors.poll import poll_metrics
from collectors.targets import targets
from storage import cells, series
from storage.lake import Lake
from storage.records import clock
from storage.sketches import distinct, merge
from tests.scoring_core.edges.running import install, running

pytestmark = pytest.mark.e2e


def test_totals_are_exact_through_a_graceful_restart(home):
    installed = install(home)
    lake = Lake(home / "lake")
    began = clock.now()
    decided = clicked = 0
    known = set()
    for _ in range(2):
        with running(installed, lease_s=60.0) as engine:
            client = Client(engine.token)
            with installed.database.read() as read:
                (target,) = targets(read, now=clock.now())
            for number in range(15):
                answer = engine.decide(subject=f"u-{number}", campaign="men", slots=3)
                decided += 1
                known.add(answer["decision_id"])
                first = answer["items"][0]["item"]
                events = [
                    {"type": kind, "decision_id": answer["decision_id"], "item": first, "subject": f"u-{number}"}
                    for kind in ("impression", "click")[: 1 + number % 2]
                ]
                clicked += len(events) - 1
                assert engine.client.post("/v1/events", json=events).status_code == 202
            time.sleep(0.6)
            assert poll_metrics(installed.database, target, client, now=clock.now).result == "ok"
            engine.decide(campaign="men")
            decided += 1
    with running(installed, lease_s=60.0) as engine:
        client = Client(engine.token)
        assert poll_metrics(installed.database, target_of(installed), client, now=clock.now).result == "ok"
        poll = poll_journal(installed.database, lake, target_of(installed), client, now=clock.now)
        assert (poll.scrape.result, poll.more) == ("ok", False)
        again = poll_journal(installed.database, lake, target_of(installed), client, now=clock.now)
        assert again.landed == 0
        with installed.database.read() as read:
            asked = {"start": began, "end": clock.now()}
            requests = series.total(read, "fairlead_decision_requests_total", **asked)
            spread = series.total(read, "fairlead_decision_duration_seconds", **asked)
            gaps = series.gaps(read, **asked)
            (counted,) = cells.totals(read, start=0, end=clock.now(), by=())
            hours = cells.by_hour(read, campaign=None, start=0, end=clock.now(), zone="UTC")
            recorded = {made for made in known if lake.decision(read, made) is not None}
    assert requests[0].value == decided
    assert sum(spread[0].counts) == decided
    assert [gap.kind for gap in gaps if gap.kind == "missing"] == []
    assert recorded == known
    assert (counted.decisions, counted.impressions, counted.clicks) == (decided, 30, clicked)
    assert (counted.hit_decisions, counted.shown_decisions) == (clicked, 30)
    assert distinct(merge(hour.sketch for hour in hours)) == 15


def target_of(installed):
    with installed.database.read() as read:
        (target,) = targets(read, now=clock.now())
    return target
