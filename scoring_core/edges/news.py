"""What one look at the control database shows that a replica does not know yet."""

from collections.abc import Mapping
from dataclasses import dataclass

from storage import consent, counters, tokens
from storage.database import Database
from storage.records.access import Principal
from storage.records.consent import ConsentChange

PAGE = 10_000
"""At most so many changes of consent in one look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Where every numbered sequence stands; changes of consent, which tell everything up to the epoch ``reached``; all
    tokens, if they were asked for or may have changed."""

    numbers: Mapping[str, int]
    changes: list[ConsentChange]
    reached: int
    principals: dict[str, Principal] | None


def news(database: Database, *, known: Mapping[str, int], epoch: int, tokens_due: bool, now: int) -> News:
    """Look at the database; blocks.

    Parameters
    ----------
    known
        The numbers of the look before.
    epoch
        Up to where consent is known.
    tokens_due
        Whether to read all tokens in any case.
    now
        Microseconds UTC: which tokens are valid.

    Raises
    ------
    FairleadError
        If the database does not answer.
    """
    if not tokens_due:
        numbers = counters.glance(database)
        if numbers == known and numbers.get("consent_epoch", 0) <= epoch:
            return News(numbers=numbers, changes=[], reached=epoch, principals=None)
    with database.read() as read:
        numbers = counters.numbers(read)
        newest = numbers.get("consent_epoch", 0)
        # whoever mints or revokes a token writes to the ledger in the same transaction
        tokens_due = tokens_due or numbers.get("ledger") != known.get("ledger")
        changes = consent.after(read, epoch, PAGE) if newest > epoch else []
        return News(
            numbers=numbers,
            changes=changes,
            # a page that is not full is the last one: epochs that are missing were erased with their subject
            reached=changes[-1].epoch if len(changes) == PAGE else newest,
            principals=tokens.principals(read, now) if tokens_due else None,
        )
