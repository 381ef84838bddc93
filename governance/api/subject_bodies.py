"""What commands about one person carry."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field

from governance.api.bodies import Name, Text
from storage.records.consent import Purpose
from storage.records.document import document


@document
class NewRequest:
    """A person's request, and when it came in (microseconds UTC; now by default). Two others must agree to it, but for
    a review, which one person answers."""

    subject: Name
    kind: Literal["access", "portability", "erasure", "review"]
    reason: Text
    received_at: Annotated[int, Field(ge=0, le=2**62)] | None = None


@document
class Objection:
    """Against which purposes a person objects; direct marketing by default."""

    subject: Name
    reason: Text
    purposes: tuple[Purpose, ...] = ()


@document
class Rectification:
    """What is to be corrected of what a person stated; null takes a statement back."""

    subject: Name
    reason: Text
    attributes: Mapping[str, Any] = field(default_factory=dict)
    interests: Mapping[str, float | None] = field(default_factory=dict)
