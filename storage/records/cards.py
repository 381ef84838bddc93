"""Cards: what a version of a policy or a model is for, and what it must not be used for."""

from typing import Annotated

from pydantic import Field

from storage.records.document import document

Told = Annotated[str, Field(max_length=4_000)]
LEAST = 20
"""Characters below which nothing was said."""


@document
class Card:
    """What people write of a version; the facts beside it are generated.

    References
    ----------
    Mitchell et al. (2019), "Model Cards for Model Reporting", FAT*.
    """

    intended_use: Told = ""
    out_of_scope: Told = ""
    people: Told = ""
    limits: Told = ""
    owner: Annotated[str, Field(max_length=200)] = ""


def missing(card: Card | None) -> tuple[str, ...]:
    """Return what must still be written before a version may leave draft.

    >>> missing(Card(intended_use="Ranks bags on the home page.", owner="Kim"))
    ('limits',)
    """
    if card is None:
        return ("intended_use", "limits", "owner")
    short = [name for name in ("intended_use", "limits") if len(getattr(card, name).strip()) < LEAST]
    return (*short, *([] if card.owner.strip() else ["owner"]))
