"""What the control API works with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from governance.alerts.destinations import Destination
from governance.control import Control
from governance.patrol import Beat
from storage.anchors import Anchors
from storage.database import Database
from storage.keys import Keys
from storage.lake import Lake
from storage.passports import Passports

JOBS = frozenset(
    {"train", "fairness", "drift", "drift_watch", "rules", "experiments", "insights", "compaction", "retention"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlContext:
    """The parts of the control API.

    Parameters
    ----------
    engine_token
        What control shows to engines when it asks them about a decision.
    page_token
        What control shows to engines for a person who reads their own page.
    client
        How it reaches them; its own by default.
    jobs
        The names of the jobs that may be asked for.
    passports
        Judges tokens of an identity provider, where one is configured.
    destinations
        Where alerts are sent.
    examine
        The doctor of the installation: its findings, each with verdict, check, what was found and the remedy.
    lake_bytes
        How large the lake may be before its oldest days go; None where nobody said.
    """

    control: Control
    database: Database
    keys: Keys
    home: Path
    environment: str
    solo: bool
    lake: Lake
    engine_token: str = field(repr=False, default="")
    page_token: str = field(repr=False, default="")
    client: httpx.Client | None = None
    jobs: frozenset[str] = JOBS
    version: str = "0.1.0"
    passports: Passports | None = None
    destinations: Sequence[Destination] = ()
    examine: Callable[[], Sequence[Mapping[str, str]]] | None = None
    lake_bytes: int | None = None


def beat_of(context: ControlContext) -> Beat:
    """Return what the patrol looks at."""
    anchors = Anchors(context.home / "anchors" / "anchors.jsonl", context.keys.signing)
    return Beat(database=context.database, home=context.home, keys=context.keys, anchors=anchors)
