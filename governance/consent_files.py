"""Files of consent that wait for their job: named by it, readable by nobody else, gone when they are read."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import uuid_utils

from governance import rules
from governance.book import Book, Deed, Matter
from governance.consent_import import lines_of, require_columns
from governance.warrants import Warrant, require_reason
from storage import jobs
from storage.database import Write
from storage.errors import NotFound
from storage.files import write_whole
from storage.records.access import Scope
from storage.records.clock import DAY, SECOND
from storage.records.findings import Job

JOB = "consents"
"""The job that takes a file; asked for here alone, by who may write consent."""
_NAME = re.compile(r"[0-9a-f]{32}")


class ConsentFiles:
    """Takes files in and asks for the job that reads them.

    Parameters
    ----------
    book
        Runs each action as one transaction with its ledger entry.
    """

    def __init__(self, book: Book) -> None:
        self._book = book

    def ask(self, home: Path, text: str, warrant: Warrant, *, source: str) -> Job:
        """Keep a CSV file for its job; what has no such columns is refused at once."""
        rules.require_scope(warrant.by, Scope.CONSENT_WRITE)
        require_reason(warrant)
        require_columns(lines_of(text))
        name = uuid_utils.uuid4().hex
        path = path_of(home, name)
        write_whole(path, text.encode("utf-8", "surrogatepass"), replace=False)

        def body(write: Write, at: int) -> Deed[Job]:
            arguments = {"file": name, "source": source, "reason": warrant.reason}
            job = jobs.enqueue(write, name=JOB, arguments=arguments, requested_by=warrant.by.name, now=at)
            return Deed(answer=job, after={"source": source, "bytes": len(text)}, object_key=job.job_id)

        try:
            matter = Matter(action="consent.import.request", object_kind="job", object_key=JOB)
            return self._book.enter(matter, warrant, body)[0]
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def path_of(home: Path, name: str) -> Path:
    """Return where a file waits.

    Raises
    ------
    NotFound
        If this is no name that was given here.
    """
    if not _NAME.fullmatch(name):
        raise NotFound("no such file of consent waits")
    return home / "imports" / f"{name}.csv"


@contextlib.contextmanager
def waiting(home: Path, name: str, *, now: int) -> Iterator[Iterator[str]]:
    """Open a file that waits; afterwards it is gone, whatever happened, and so is every one that nobody fetched."""
    path = path_of(home, name)
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as lines:
            yield lines
    except FileNotFoundError:
        raise NotFound("the file of consent is not there any more; send it again") from None
    finally:
        for each in path.parent.glob("*.csv"):
            with contextlib.suppress(OSError):
                if each == path or each.stat().st_mtime < (now - DAY) / SECOND:
                    each.unlink()
