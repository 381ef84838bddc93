"""What commands about toggles carry."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any

from pydantic import Field

from governance.api.bodies import Text
from storage.records.document import document
from storage.records.toggles import Toggle


@document
class NewToggle:
    """A toggle to create, or what an existing one is to become."""

    toggle: Toggle
    reason: Text
    confirm: Text = ""


@document
class ToggleDraft:
    """A toggle to check."""

    toggle: Mapping[str, Any]


@document
class Described:
    """Somebody as an app would describe them: ids, and attributes by name (``{"user": {"clicks": 3}}`` nests)."""

    subject: str | None = None
    session: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@document
class ToggleTry:
    """Whom to try a toggle on, at which moment (microseconds UTC; now), and a draft in its place."""

    people: Annotated[tuple[Described, ...], Field(min_length=1, max_length=1_000)]
    toggle: Mapping[str, Any] | None = None
    at: int | None = None
