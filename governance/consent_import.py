"""Statements of consent in bulk: CSV read row by row, taken in transactions, each refused row named."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from governance.consent import Consents, Statement, subject_problem
from governance.outcomes import Acknowledged
from governance.warrants import Warrant
from storage.errors import Invalid, Problem
from storage.records import clock
from storage.records.consent import ConsentState, Purpose
from storage.records.syncs import Refusal

REQUIRED = ("subject", "purpose", "state")
OPTIONAL = ("said_at", "text_version")
BATCH = 500
"""So many statements are one transaction, so that opt-outs of others never wait long."""
MOST_REFUSALS = 100
_STATES: dict[str, ConsentState] = {
    **dict.fromkeys(("granted", "grant", "yes", "true", "1", "opt-in", "opt_in"), "granted"),
    **dict.fromkeys(("denied", "deny", "no", "false", "0", "opt-out", "opt_out", "withdrawn"), "denied"),
}


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What became of a file; ``refusals`` names the first hundred refused rows by their line."""

    rows: int = 0
    granted: int = 0
    denied: int = 0
    unchanged: int = 0
    outdated: int = 0
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    acknowledged: Acknowledged | None = None

    def refuse(self, refusal: Refusal) -> None:
        """Count a refused row."""
        self.refused += 1
        if len(self.refusals) < MOST_REFUSALS:
            self.refusals.append(refusal)


def import_consents(
    lines: Iterable[str], consents: Consents, warrant: Warrant, *, source: str, now: Callable[[], int]
) -> ImportReport:
    """Take the statements of a CSV file with the columns subject, purpose, state and, where they are known, said_at and
    text_version; then wait for the replicas.

    A row that cannot be read is refused and hurts no other. The file may be taken again: what is known is unchanged.

    Raises
    ------
    Invalid
        If a column is missing or unknown: nothing is taken then.
    """
    report = ImportReport()
    batch: list[Statement] = []
    epoch = 0

    def take() -> int:
        done = consents.take(batch, warrant, source=source)
        for name in ("granted", "denied", "unchanged", "outdated"):
            setattr(report, name, getattr(report, name) + getattr(done, name))
        batch.clear()
        return done.epoch

    for found in read_rows(lines, now=now()):
        report.rows += 1
        if isinstance(found, Refusal):
            report.refuse(found)
            continue
        batch.append(found)
        if len(batch) == BATCH:
            epoch = take()
    if batch:
        epoch = take()
    if epoch:
        report.acknowledged = consents.acknowledge(epoch)
    return report


def require_columns(lines: Iterable[str]) -> None:
    """Refuse a file without the columns, as ``import_consents`` would."""
    _require(_columns(csv.DictReader(lines)))


def read_rows(lines: Iterable[str], *, now: int) -> Iterator[Statement | Refusal]:
    """Read statements; a row that is none becomes its refusal, which never says what it held."""
    reader = csv.DictReader(lines, strict=False)
    columns = _columns(reader)
    _require(columns)
    reader.fieldnames = columns
    rows = iter(reader)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield Refusal(row=reader.line_num, field="row", reason="cannot be read as CSV; quote what holds commas")
            continue
        yield _statement(row, reader.line_num, now)


def _columns(reader: "csv.DictReader[str]") -> list[str]:
    return [name.strip().lower().lstrip("\ufeff") for name in reader.fieldnames or ()]


def _require(columns: list[str]) -> None:
    problems = tuple(
        Problem(field=name, message=f"is missing; the columns are {', '.join(REQUIRED + OPTIONAL)}")
        for name in REQUIRED
        if name not in columns
    )
    if not problems and set(columns) - {*REQUIRED, *OPTIONAL}:
        known = ", ".join(REQUIRED + OPTIONAL)
        problems = (Problem(field="columns", message=f"one is unknown; the columns are {known}"),)
    if problems:
        raise Invalid(f"{problems[0].field}: {problems[0].message}", problems=problems)


def _statement(row: dict[str | None, str | None], line: int, now: int) -> Statement | Refusal:
    told = {name: (row.get(name) or "").strip() for name in (*REQUIRED, *OPTIONAL)}
    state = _STATES.get(told["state"].lower())
    purpose = next((each for each in Purpose if each.value == told["purpose"].lower()), None)
    said_at = clock.read_instant(told["said_at"]) if told["said_at"] else None
    problems = (
        ("subject", subject_problem(told["subject"])),
        ("purpose", "" if purpose else f"use one of {', '.join(Purpose)}"),
        ("state", "" if state else "use granted or denied"),
        ("said_at", "" if said_at is not None or not told["said_at"] else "use a time such as 2026-01-31T12:00:00Z"),
        ("said_at", "lies in the future" if said_at is not None and said_at > now else ""),
        ("text_version", "" if len(told["text_version"]) <= 64 else "use at most 64 characters"),
        ("row", "has more cells than there are columns" if None in row else ""),
    )
    for name, reason in problems:
        if reason:
            return Refusal(row=line, field=name, reason=reason)
    assert purpose is not None and state is not None  # noqa: S101  # a missing one was refused above
    return Statement(
        subject=told["subject"],
        purpose=purpose,
        state=state,
        said_at=said_at,
        text_version=told["text_version"],
    )


def lines_of(text: str) -> Iterable[str]:
    """Return the lines of a text as a file gives them."""
    return io.StringIO(text, newline="")
