"""The job that takes a file of consent, in the name of who sent it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fairlead.settings import Settings
from fairlead.wiring import Store, control_of
from storage.records.access import Principal, Scope
from storage.records.findings import Job


def consents(settings: Settings, store: Store, job: Job) -> Mapping[str, Any]:
    """Take the file that waits for this job; its report names every refused row by its line."""
    from governance.consent_files import waiting
    from governance.consent_import import import_consents
    from governance.warrants import Warrant

    told = {name: str(job.arguments.get(name, "")) for name in ("file", "source", "reason")}
    scopes = frozenset({Scope.CONSENT_WRITE})
    by = Principal(name=job.requested_by, role="service", scopes=scopes, token_id=f"job:{job.job_id}")
    with waiting(settings.home, told["file"], now=store.now()) as lines:
        report = import_consents(
            lines,
            control_of(settings, store).consents,
            Warrant(by=by, reason=told["reason"]),
            source=told["source"],
            now=store.now,
        )
    return asdict(report)
