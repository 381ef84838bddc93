"""Campaigns: created as drafts, started, paused, ended."""

from collections.abc import Callable
from dataclasses import replace

from governance.actions import Action, Ground, Nothing, Step, always, found, marketing, refuse, untagged
from governance.installation import installation
from governance.validity import campaign_problems
from storage import campaigns
from storage.database import Read, Write
from storage.errors import Conflict, Problem
from storage.records.campaigns import Campaign, CampaignStatus
from storage.records.changes import Level
from storage.records.document import document, dump

FREE_EFFECTS = frozenset({"content"})
"""Effects that need nobody else's consent; prices and eligibility do."""


@document
class NewCampaign:
    """A campaign, whole."""

    campaign: Campaign


def _find(read: Read, key: str) -> Campaign:
    stored: campaigns.StoredCampaign = found(campaigns.find(read, key), "campaign")
    return stored.campaign


def _etag(read: Read, key: str) -> str:
    stored = campaigns.find(read, key)
    return stored.etag if stored else ""


def _save(write: Write, before: Campaign | None, after: Campaign, at: int) -> Step:
    stored = campaigns.save(write, after, at=at)
    return Step(before=dump(before) if before else None, after=dump(after), etag=stored.etag)


def _key_problems(key: str, campaign: Campaign) -> tuple[Problem, ...]:
    return () if key == campaign.key else (Problem(field="campaign.key", message="differs from the key addressed"),)


def _create(write: Write, key: str, payload: NewCampaign, ground: Ground) -> Step:
    campaign = payload.campaign
    draft = (
        ()
        if campaign.status == "draft"
        else (Problem(field="campaign.status", message="a new campaign is a draft; start it afterwards"),)
    )
    refuse(_key_problems(key, campaign) + draft + campaign_problems(campaign, installation(write)))
    if campaigns.find(write, key) is not None:
        raise Conflict("there is a campaign of this key already")
    return _save(write, None, campaign, ground.at)


def _edit(write: Write, key: str, payload: NewCampaign, ground: Ground) -> Step:
    before, after = _find(write, key), payload.campaign
    status = (
        ()
        if after.status == before.status
        else (Problem(field="campaign.status", message="changes by start, pause, resume and end only"),)
    )
    refuse(_key_problems(key, after) + status + campaign_problems(after, installation(write)))
    if before.status == "ended":
        raise Conflict("this campaign has ended; make a new one")
    if before == after:
        raise Conflict("the campaign is like this already")
    return _save(write, before, after, ground.at)


def _edit_level(read: Read, key: str, payload: NewCampaign) -> Level:
    before = _find(read, key)
    free = {before.effect, payload.campaign.effect} <= FREE_EFFECTS
    return "D1" if free or before.status == "draft" else "D2"


def _serve_level(read: Read, key: str, _payload: Nothing) -> Level:
    return "D1" if _find(read, key).effect in FREE_EFFECTS else "D2"


def _move(to: CampaignStatus, *, out_of: frozenset[CampaignStatus]) -> Callable[[Write, str, Nothing, Ground], Step]:
    def perform(write: Write, key: str, _payload: Nothing, ground: Ground) -> Step:
        before = _find(write, key)
        if before.status not in out_of:
            raise Conflict(f"a campaign that is {before.status} cannot become {to}")
        return _save(write, before, replace(before, status=to), ground.at)

    return perform


def _moving(
    verb: str,
    to: CampaignStatus,
    out_of: frozenset[CampaignStatus],
    level: Callable[[Read, str, Nothing], Level],
) -> Action:
    return marketing(f"campaign.{verb}", _move(to, out_of=out_of), level, etag=_etag)


ACTIONS = (
    marketing("campaign.create", _create, always("D1"), etag=untagged, payload=NewCampaign),
    marketing("campaign.edit", _edit, _edit_level, etag=_etag, payload=NewCampaign, tagged=True),
    _moving("start", "running", frozenset({"draft"}), _serve_level),
    _moving("pause", "paused", frozenset({"running"}), always("safe")),
    _moving("resume", "running", frozenset({"paused"}), _serve_level),
    _moving("end", "ended", frozenset({"draft", "running", "paused"}), always("safe")),
)
