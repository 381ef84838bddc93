"""The job that counts windows of decisions and holds them against their references."""

from collections.abc import Mapping
from typing import Any

from fairlead.settings import Settings
from fairlead.wiring import Store
from storage.records import clock
from storage.records.findings import Job


def drift_watch(settings: Settings, store: Store, job: Job) -> Mapping[str, Any]:
    """Look at every window that ended since the last run."""
    from governance.checks.drift_watch import Watched, watch

    return watch(
        Watched(
            database=store.database,
            lake=store.lake,
            home=store.home,
            secret=store.keys.lookup,
            now=store.now(),
            window=int(job.arguments.get("window_s", settings.drift_window_seconds)) * clock.SECOND,
        )
    )
