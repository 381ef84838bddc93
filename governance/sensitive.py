"""What people say of themselves for audits of fairness alone: kept apart, written in bulk, dropped by attribute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from governance import rules
from governance.book import Book, Deed, Matter
from governance.warrants import Warrant, require_reason
from storage import sensitive
from storage.database import Write
from storage.errors import Invalid, NotFound, Problem
from storage.pseudonyms import Salts
from storage.records.access import Scope
from storage.sensitive import SensitiveAttribute

MOST = 1_000
MAX_VALUE = 64
MAX_SUBJECT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How much was taken."""

    people: int
    attributes: Mapping[str, int]


class SensitiveAttributes:
    """Sensitive attributes, by raw id; raw ids go no further than this class, values never into the ledger.

    Parameters
    ----------
    book, salts
        The ledger's transactions, and the pseudonyms.
    """

    def __init__(self, book: Book, salts: Salts) -> None:
        self._book = book
        self._salts = salts

    def put(self, rows: Sequence[tuple[str, str, str]], warrant: Warrant, *, source: str) -> Told:
        """Keep (subject, attribute, value) of people; the newest of each holds."""
        _check(rows, source)
        names: dict[str, int] = {}
        for _, attribute, _ in rows:
            names[attribute] = names.get(attribute, 0) + 1
        may = warrant.by.may(Scope.FAIRNESS_WRITE)
        people = self._salts.resolve([subject for subject, _, _ in rows]) if may else {}

        def body(write: Write, at: int) -> Deed[Told]:
            rules.require_scope(warrant.by, Scope.FAIRNESS_WRITE)
            require_reason(warrant)
            sensitive.put(
                write,
                [
                    SensitiveAttribute(subject=people[subject], attribute=attribute, value=value, source=source, at=at)
                    for subject, attribute, value in rows
                ],
            )
            told = Told(people=len(set(people.values())), attributes=names)
            return Deed(answer=told, after={"people": told.people, "attributes": names, "source": source})

        matter = Matter(action="sensitive.put", object_kind="sensitive", object_key=",".join(sorted(names)))
        return self._book.enter(matter, warrant, body)[0]

    def drop(self, attribute: str, warrant: Warrant) -> Told:
        """Delete an attribute of everyone."""

        def body(write: Write, _at: int) -> Deed[Told]:
            rules.require_scope(warrant.by, Scope.FAIRNESS_WRITE)
            require_reason(warrant)
            gone = sensitive.drop(write, attribute)
            if not gone:
                raise NotFound("no such sensitive attribute")
            return Deed(answer=Told(people=gone, attributes={attribute: gone}), before={"people": gone})

        matter = Matter(action="sensitive.drop", object_kind="sensitive", object_key=attribute)
        return self._book.enter(matter, warrant, body)[0]


def _check(rows: Sequence[tuple[str, str, str]], source: str) -> None:
    problems = []
    if not 1 <= len(rows) <= MOST:
        problems.append(Problem(field="rows", message=f"send 1 to {MOST} at a time"))
    for place, (subject, attribute, value) in enumerate(rows):
        if not 1 <= len(subject) <= MAX_SUBJECT:
            problems.append(Problem(field=f"rows.{place}.subject", message=f"use 1 to {MAX_SUBJECT} characters"))
        if not attribute.replace("_", "").replace("-", "").isalnum() or len(attribute) > MAX_VALUE:
            message = "a name may hold letters, digits, '_' and '-' only"
            problems.append(Problem(field=f"rows.{place}.attribute", message=message))
        if not 1 <= len(value.strip()) <= MAX_VALUE or not value.isprintable():
            message = f"use 1 to {MAX_VALUE} printable characters"
            problems.append(Problem(field=f"rows.{place}.value", message=message))
    if not 1 <= len(source.strip()) <= MAX_VALUE or not source.isprintable():
        problems.append(Problem(field="source", message="say where this was asked, in at most 64 characters"))
    if problems:
        raise Invalid(f"{problems[0].field}: {problems[0].message}", problems=tuple(problems[:20]))
