"""Campaigns: whom they want, whom they hold out, and that an unknown one is no error."""

from dataclasses import replace
from typing import Any

import pytest

from storage.records.campaigns import Campaign
from tests.scoring_core.world import NOW, ONE_SUBJECT, decided, request, trusting, world


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "draft"}, "campaign_draft"),
        ({"status": "paused"}, "campaign_paused"),
        ({"status": "ended"}, "campaign_ended"),
        ({"starts_at": NOW + 1}, "campaign_not_started"),
        ({"ends_at": NOW}, "campaign_ended"),
        ({"surfaces": ("cellar",)}, "campaign_elsewhere"),
        ({"eligibility": {"mood": "wild"}}, "ineligible"),
        ({"holdout": 1.0}, "holdout"),
    ],
)
def test_a_campaign_that_does_not_want_the_subject_gives_the_default(changes: dict[str, Any], reason: str) -> None:
    campaign = replace(Campaign(key="c", name="C", surfaces=("home",), status="running"), **changes)
    record = decided(world(campaigns={"c": campaign}), request(campaign="c"))
    assert (record.served_by, record.reason, record.campaign) == ("default", reason, "c")
    assert record.subject == ONE_SUBJECT


def test_a_running_campaign_serves() -> None:
    campaign = Campaign(
        key="c", name="C", surfaces=("home",), status="running", starts_at=NOW, ends_at=NOW + 1, holdout=1e-9
    )
    record = decided(world(trusting(), campaigns={"c": campaign}), request(campaign="c"))
    assert (record.served_by, record.campaign, record.arms) == ("model", "c", {"holdout": "treated"})


def test_an_unknown_campaign_is_no_error() -> None:
    assert decided(world(), request(campaign="nobody")).reason == "campaign_unknown"
    assert decided(world(), request(campaign="nobody", subject=None)).items == ("i0", "i1", "i2")


def test_the_holdout_is_its_share_and_stays() -> None:
    campaign = Campaign(key="c", name="C", surfaces=("home",), status="running", holdout=0.25)
    live = world(campaigns={"c": campaign})
    subjects = [f"subject-{number}" for number in range(800)]
    held = {each for each in subjects if decided(live, request(campaign="c", subject=each)).reason == "holdout"}
    assert abs(len(held) / 800 - 0.25) < 3 * (0.25 * 0.75 / 800) ** 0.5
    wider = world(campaigns={"c": replace(campaign, holdout=0.5)})
    assert all(decided(wider, request(campaign="c", subject=each)).reason == "holdout" for each in held)
