"""What commands carry; an unknown field is refused by its name, never with its value."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from storage.records.campaigns import Campaign
from storage.records.caps import Cap
from storage.records.document import document
from storage.records.fairness import FairnessPlan
from storage.records.items import Item
from storage.records.policies import Installation
from storage.records.rules import Rule
from storage.records.segments import SegmentRule
from storage.records.syncs import CatalogueSync

Text = Annotated[str, Field(max_length=4096)]
Name = Annotated[str, Field(min_length=1, max_length=256)]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]


@document
class Exchange:
    """A login link's secret."""

    once: Name


@document
class Why:
    """The reason, and the object's key where it must be typed."""

    reason: Text
    confirm: Text = ""


@document
class Requeue:
    """Which refused events are sent again, and why."""

    code: Text
    reason: Text


@document
class NewCampaign:
    """A campaign to create, or what an existing one is to become."""

    campaign: Campaign
    reason: Text
    confirm: Text = ""


@document
class Rehearse:
    """What to try on logged traffic."""

    arguments: Mapping[str, Any]
    reason: Text


@document
class NewSegment:
    """The rule of a segment."""

    rule: SegmentRule
    reason: Text
    confirm: Text = ""


@document
class NewSegmentKey:
    """A segment to create."""

    key: Name
    rule: SegmentRule
    reason: Text


@document
class NewRule:
    """A rule to create, or what an existing one is to become."""

    rule: Rule
    reason: Text
    confirm: Text = ""


@document
class NewFairnessPlan:
    """A plan of fairness audits to create, or what an existing one is to become."""

    plan: FairnessPlan
    reason: Text
    confirm: Text = ""


@document
class SensitiveRow:
    """What one person says of themselves."""

    subject: Name
    attribute: Name
    value: Name


@document
class NewSensitive:
    """What people say of themselves for audits alone, and where they were asked."""

    rows: Annotated[list[SensitiveRow], Field(min_length=1, max_length=1000)]
    source: Name
    reason: Text


@document
class NewCap:
    """A frequency cap to create, or what an existing one is to become."""

    cap: Cap
    reason: Text
    confirm: Text = ""


@document
class CapDraft:
    """A frequency cap to check."""

    cap: Mapping[str, Any]


@document
class RuleDraft:
    """A rule to check."""

    rule: Mapping[str, Any]


@document
class NewPolicy:
    """A policy to create."""

    key: Name
    surface: Name
    reason: Text


@document
class NewVersion:
    """A version to add."""

    document: Mapping[str, Any]
    reason: Text
    note: Text = ""


@document
class Draft:
    """A version to check."""

    document: Mapping[str, Any]


@document
class RolloutStep:
    """How far a version shall go now."""

    version: Number
    percent: float
    reason: Text
    segment: Mapping[str, Any] = field(default_factory=dict)
    confirm: Text = ""


@document
class Kill:
    """The kill switch, on or off."""

    on: bool
    reason: Text
    confirm: Text = ""


@document
class NewChange:
    """A change to propose."""

    kind: Name
    key: Name
    payload: Mapping[str, Any]
    reason: Text


@document
class EditChange:
    """What a change is to become."""

    payload: Mapping[str, Any]
    reason: Text


@document
class Apply:
    """The reason to apply now, and the step that must be next."""

    reason: Text
    confirm: Text = ""
    percent: float | None = None


@document
class When:
    """When an approved change is to be applied by itself: RFC 3339, or microseconds since the epoch."""

    at: Annotated[int, Field(ge=0, le=253_402_300_799_000_000)] | AwareDatetime
    reason: Text
    confirm: Text = ""


@document
class SubjectQuery:
    """A person by raw id, and why they are looked up."""

    subject: Name
    reason: Text


@document
class NewJob:
    """A job to run."""

    name: Name
    reason: Text
    arguments: Mapping[str, Any] = field(default_factory=dict)


@document
class Promotion:
    """A model version to put in service."""

    version: Name
    reason: Text
    confirm: Text = ""


@document
class NewSettings:
    """The installation's settings, whole."""

    installation: Installation
    reason: Text
    confirm: Text = ""


@document
class NewSync:
    """A catalogue sync to declare."""

    name: Name
    sync: CatalogueSync
    reason: Text


@document
class EditSync:
    """What a catalogue sync is to become."""

    sync: CatalogueSync
    reason: Text


@document
class NewItems:
    """Items to put into the catalogue."""

    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=1_000)]
    reason: Text
