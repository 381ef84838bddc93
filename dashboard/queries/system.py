"""The machinery: heartbeats, jobs, replicas, models, files, refused events, the catalogue."""

from dataclasses import dataclass

from storage import catalogue, heartbeats, holdings, jobs, receipts, registry, syncs
from storage.catalogue import Holding
from storage.database import Read
from storage.heartbeats import Heartbeat
from storage.holdings import Files, Import
from storage.records.changes import Receipt
from storage.records.events import DeadLetter
from storage.records.findings import Job
from storage.records.models import ModelVersion
from storage.syncs import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemState:
    """Everything the System page reads from the database. ``in_service`` maps a model's name to its version."""

    heartbeats: tuple[Heartbeat, ...]
    jobs: tuple[Job, ...]
    replicas: tuple[Receipt, ...]
    models: tuple[ModelVersion, ...]
    in_service: dict[str, str]
    files: tuple[Files, ...]
    imports: tuple[Import, ...]
    dead_letters: tuple[DeadLetter, ...]
    dead_letter_count: int
    catalogue: Holding
    syncs: tuple[Standing, ...]


def state(read: Read) -> SystemState:
    """Return the state of the machinery."""
    return SystemState(
        heartbeats=tuple(heartbeats.heartbeats(read)),
        jobs=tuple(jobs.jobs(read, limit=20)),
        replicas=tuple(receipts.receipts(read)),
        models=tuple(registry.models(read)),
        in_service={name: model.version for name, model in registry.in_service(read).items()},
        files=tuple(holdings.files(read)),
        imports=tuple(holdings.imports(read)),
        dead_letters=tuple(holdings.dead_letters(read)),
        dead_letter_count=holdings.dead_letter_count(read),
        catalogue=catalogue.holding(read),
        syncs=tuple(syncs.standings(read)),
    )
