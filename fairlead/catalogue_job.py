"""The job that reads a declared source of the catalogue at once."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fairlead.settings import Settings
from fairlead.wiring import Store
from storage.errors import Invalid, NotFound
from storage.records.findings import Job


def catalogue(_settings: Settings, store: Store, job: Job) -> Mapping[str, Any]:
    """Bring a declared sync's items in now."""
    from collectors.catalogue import Syncing, sync_catalogue
    from storage import syncs

    name = job.arguments.get("sync")
    with store.database.read() as read:
        sync = syncs.declared(read).get(str(name))
    if sync is None:
        raise NotFound("sync: no catalogue sync is declared under this name; `fairlead catalogue syncs` lists them")
    run = sync_catalogue(Syncing(database=store.database, home=store.home, now=store.now), str(name), sync, force=True)
    if run.result == "failed":
        raise Invalid(run.note)
    return asdict(run)
