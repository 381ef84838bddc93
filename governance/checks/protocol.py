"""What every audit promises, and which there are."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from storage.database import Database
from storage.lake import Lake
from storage.records.findings import Audit


class RunAudit(Protocol):
    """Look at the lake, store an immutable finding, and return it. Same job, same ``audit_id``.

    ``arguments`` come from the job as they were asked for; ``home`` is where artifacts go, below ``audits/``.
    """

    def __call__(
        self, database: Database, lake: Lake, *, job_id: str, arguments: Mapping[str, Any], now: int, home: Path
    ) -> Audit:
        """Run the audit.

        Raises
        ------
        Invalid
            If an argument is unknown or makes no sense.
        """


AUDITS: Mapping[str, tuple[str, str]] = {
    "fairness": ("governance.checks.fairness", "run_fairness"),
    "drift": ("governance.checks.drift", "run_drift"),
    "rules": ("governance.checks.rules", "run_rules"),
    "experiments": ("governance.checks.experiments", "run_experiments"),
    "insights": ("governance.checks.insights", "run_insights"),
    "whatif": ("governance.whatif", "run_whatif"),
    "offpolicy": ("governance.whatif", "run_offpolicy"),
}
"""Kind of audit → module and function; imported by name, because they are heavy and only jobs run them."""


def audit_runner(kind: str) -> RunAudit:
    """Return the function that runs audits of a kind. Raises ``KeyError`` on an unknown kind."""
    module, name = AUDITS[kind]
    return cast(RunAudit, getattr(import_module(module), name))
