"""Roles that an installation makes for itself, beside the built-in ones."""

from typing import Annotated, Literal

from pydantic import Field

from storage.records.access import Scope
from storage.records.document import document

Like = Literal["marketer", "data_scientist", "ops", "admin", "service"]
"""The built-in roles that another may resemble."""
NEVER = frozenset({Scope.SIMULATE, Scope.OWN, Scope.CREATOR})
"""What no role of an installation's own carries: a mark of made-up traffic, and what concerns its holder alone."""


@document
class Role:
    """What its holders may do at most: a token of this role never does more, whatever it was minted with.

    ``like`` is the built-in role whose menu and first page its holders see.
    """

    key: str
    title: Annotated[str, Field(max_length=120)] = ""
    like: Like = "marketer"
    scopes: tuple[Scope, ...] = ()
