"""What a fresh installation starts with."""

from collections.abc import Mapping
from dataclasses import field

from storage.records.campaigns import Campaign
from storage.records.caps import Cap
from storage.records.document import document
from storage.records.policies import Installation, Policy
from storage.records.rules import Rule


@document
class PresetPolicy:
    """A policy of a preset: its versions from 1 on, which one is stable, and how far the newest is rolled out."""

    key: str
    surface: str
    versions: tuple[Policy, ...]
    stable: int = 1
    rollout: int | None = None
    percent: float = 0.0


@document
class Preset:
    """What one transaction writes into an empty installation: settings, campaigns, policies, rules and caps."""

    name: str
    installation: Installation = field(default_factory=Installation)
    campaigns: tuple[Campaign, ...] = ()
    policies: tuple[PresetPolicy, ...] = ()
    rules: tuple[Rule, ...] = ()
    caps: tuple[Cap, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
