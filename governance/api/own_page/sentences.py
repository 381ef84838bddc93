"""What the page says when something was done, or could not be."""

from collections.abc import Mapping
from typing import Final

from governance.subjects import NOTHING_KEPT
from scoring_core.features.statements import MOST_STATED
from storage.errors import FairleadError, Invalid, NotFound, Unauthenticated, Unavailable

SOON: Final = "-soon"
"""Ends a code where not every engine has reported yet."""
DONE: Final[Mapping[str, tuple[str, str]]] = {
    "on": ("choices", "Allowed. It holds from your next page on."),
    "off": ("choices", "Switched off. It holds from your next page on."),
    "objected": ("choices", "Noted: no advertising and no e-mails about offers are addressed to you any more."),
    "interests": ("interests", "Saved. What you said counts more than what we learned, from your next page on."),
    "up": ("interests", "Moved up. It counts from your next page on."),
    "aside": ("interests", "Removed. It counts no more, and what you did about it until now neither."),
    "again": (
        "interests",
        "What you said of it is forgotten: it is learned from what you do, if you allow that.",
    ),
    "less": ("why", "Noted: you will see less of what this is known for. Your interests show it, and can undo it."),
    "thanks": ("why", "Thank you. It is learned from, as far as you allow it."),
    "review": ("review", "Received. A person will look at it and answer here."),
    "delete": ("delete", "Received. Nothing about you is used from this moment on."),
    "back": ("delete", "Taken back. What you had allowed yourself holds again; the rest stays off until you say so."),
}
"""What each code of the address stands for: the section, and the sentence."""


def plain(error: FairleadError) -> str:
    """Return a refusal as who reads it understands it."""
    if isinstance(error, NotFound) and str(error) == NOTHING_KEPT:
        return "Nothing is kept about you here, so there is nothing to change, to hand over or to delete."
    if isinstance(error, Invalid) and any(problem.field == "interests" for problem in error.problems):
        return f"You can decide on {MOST_STATED} interests yourself. Let some be learned again first."
    if isinstance(error, Unavailable):
        return "This cannot be done right now. Nothing was lost; please try again in a moment."
    said = str(error)
    if isinstance(error, Unauthenticated) and not said:
        said = "this page is not open"
    return said[:1].upper() + said[1:] + ("" if said.endswith(".") else ".")
