"""The only writer of control state: every change is one transaction of state, ledger entry and revision."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from governance.outcomes import Acknowledged, Installed, Minted, Once, Outcome
from governance.preset import Preset
from governance.warrants import Warrant
from storage.database import Database
from storage.keys import Keys
from storage.records import clock
from storage.records.changes import Change
from storage.records.consent import ConsentChange, Purpose
from storage.records.findings import Job
from storage.records.policies import Snapshot


class Control:
    """Writes control state, for every caller, by the rules of change.

    Parameters
    ----------
    database, keys
        Where state lives, and the keys of ledger and pseudonyms.
    environment
        The name of this installation's environment; typed to confirm what concerns all of it.
    solo
        Whether one person may approve their own changes; each ledger entry is then stamped ``four_eyes=False``.
    now
        The clock, microseconds UTC.
    """

    def __init__(
        self, database: Database, keys: Keys, *, environment: str, solo: bool, now: Callable[[], int] = clock.now
    ) -> None: ...

    def bootstrap(self, home: Path, preset: Preset | None = None) -> Installed:
        """Make a fresh installation usable, once: settings, the service tokens below ``home``/keys, a first revision,
        and the preset if there is neither policy nor campaign. Calling it again changes nothing."""

    def do(self, kind: str, key: str, payload: Mapping[str, Any], warrant: Warrant) -> Outcome:
        """Do one action at once. Raises ``NeedsApproval`` where a second person must agree first."""

    def propose(self, kind: str, key: str, payload: Mapping[str, Any], warrant: Warrant) -> Change:
        """Write a draft of a change."""

    def edit(self, change_id: str, payload: Mapping[str, Any], warrant: Warrant) -> Change:
        """Replace a change's payload; it becomes a draft again and loses its approvals. Only its author may."""

    def submit(self, change_id: str, warrant: Warrant) -> Change:
        """Ask for review."""

    def approve(self, change_id: str, warrant: Warrant) -> Change:
        """Agree to a change; never its author, unless solo."""

    def reject(self, change_id: str, warrant: Warrant) -> Change:
        """Turn a change down."""

    def withdraw(self, change_id: str, warrant: Warrant) -> Change:
        """Take one's own change back."""

    def apply(self, change_id: str, warrant: Warrant) -> Outcome:
        """Do what was approved; of a rollout plan, the next step."""

    def opt_out(self, subject: str, purpose: Purpose, warrant: Warrant, *, source: str = "control") -> Acknowledged:
        """Withdraw a raw subject's consent and wait until the replicas decide with it, at most 2.5 s."""

    def opt_in(self, subject: str, purpose: Purpose, warrant: Warrant, *, source: str = "control") -> Acknowledged:
        """Record a raw subject's consent and wait likewise."""

    def consent_history(self, subject: str, warrant: Warrant) -> list[ConsentChange]:
        """Look up a raw subject's consent; the look-up is in the ledger."""

    def mint(
        self,
        *,
        name: str,
        principal: str,
        role: str,
        scopes: tuple[str, ...] | None,
        expires_in_s: int | None,
        warrant: Warrant,
    ) -> Minted:
        """Mint a token; ``scopes`` default to those of the role."""

    def revoke(self, token_id: str, warrant: Warrant) -> None:
        """Revoke a token."""

    def once(self, warrant: Warrant) -> Once:
        """Make a login link's secret for the caller."""

    def exchange(self, once: str) -> Minted:
        """Turn a login link's secret into a session token (12 h); a second time, or after ten minutes, it is refused
        with ``Unauthenticated``."""

    def request_job(self, name: str, arguments: Mapping[str, Any], warrant: Warrant) -> Job:
        """Queue a job for the runner."""

    def publish_models(self, warrant: Warrant) -> int:
        """Publish what the registry holds in service; the revision that carries it."""

    def snapshot(self) -> Snapshot | None:
        """Return the newest revision."""
