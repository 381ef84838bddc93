"""Campaigns: created, started and ended, edited by who knows them, and priced by two people."""

import pytest

from governance.control import Control
from storage.errors import Conflict, Invalid, NeedsApproval, NotFound, Stale

from .conftest import warrant


def test_campaigns_live_and_end(control: Control) -> None:
    campaign = {"key": "sale", "name": "<script>alert(1)</script> ![x](http://e.vil/x.png)", "surfaces": ["home"]}
    created = control.do("campaign.create", "sale", {"campaign": campaign}, warrant())
    assert created.after["name"] == campaign["name"] and created.after["status"] == "draft"
    assert control.do("campaign.start", "sale", {}, warrant()).after["status"] == "running"
    with pytest.raises(Conflict):
        control.do("campaign.start", "sale", {}, warrant())
    with pytest.raises(Conflict):
        control.do("campaign.create", "sale", {"campaign": campaign}, warrant())
    assert control.do("campaign.end", "sale", {}, warrant()).after["status"] == "ended"
    with pytest.raises(Conflict):
        control.do("campaign.resume", "sale", {}, warrant())
    with pytest.raises(NotFound):
        control.do("campaign.pause", "nothing", {}, warrant())


def test_a_price_campaign_needs_a_second_person_to_run(control: Control) -> None:
    with pytest.raises(NeedsApproval):
        control.do("campaign.resume", "prices", {}, warrant(confirm="prices"))
    change = control.propose("campaign.resume", "prices", {}, warrant("mary", "marketer"))
    control.submit(change.change_id, warrant("mary", "marketer"))
    control.approve(change.change_id, warrant("olga", "ops"))
    outcome = control.apply(change.change_id, warrant("olga", "ops", confirm="prices"))
    assert outcome.after["status"] == "running"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"surfaces": []}, "surfaces"),
        ({"surfaces": ["nowhere"]}, "surfaces.0"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"holdout": 2.0}, "holdout"),
        ({"goal": "dance"}, "goal"),
        ({"name": " "}, "name"),
        ({"starts_at": 2, "ends_at": 1}, "ends_at"),
        ({"status": "running"}, "campaign.status"),
        ({"key": "other"}, "campaign.key"),
        ({"eligibility": {"nobody": 1}}, "eligibility.nobody"),
        ({"item_filter": {"x": {"$nope": 1}}}, "item_filter.x.$nope"),
    ],
)
def test_a_wrong_campaign_names_its_field(control: Control, more: dict[str, object], field: str) -> None:
    campaign = {"key": "new", "name": "New", "surfaces": ["home"], **more}
    with pytest.raises(Invalid) as refusal:
        control.do("campaign.create", "new", {"campaign": campaign}, warrant())
    assert field in [problem.field for problem in refusal.value.problems]


def test_an_edit_must_know_what_it_edits(control: Control) -> None:
    created = control.do(
        "campaign.create", "a", {"campaign": {"key": "a", "name": "A", "surfaces": ["home"]}}, warrant()
    )
    edit = {"campaign": {"key": "a", "name": "B", "surfaces": ["home"]}}
    with pytest.raises(Invalid, match="If-Match"):
        control.do("campaign.edit", "a", edit, warrant())
    control.do("campaign.edit", "a", edit, warrant(etag=created.etag))
    with pytest.raises(Stale):
        control.do("campaign.edit", "a", edit, warrant(etag=created.etag))
