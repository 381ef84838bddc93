"""What people state of themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from storage.records.document import document
from storage.records.events import Scalar

Answer = Literal["stated", "quiz"]


@document
class Said:
    """An interest as it was stated: ``value`` −1…1, since ``at`` (microseconds), in words or by the style quiz."""

    value: Annotated[float, Field(ge=-1.0, le=1.0)]
    at: int
    source: Answer = "stated"


@document
class Profile:
    """Everything that one person stated. ``attributes`` by declared name, a list as its sorted values joined by ``|``;
    ``interests`` by the name of an item's attribute value (``colour=red``) or tag (``tag=new``)."""

    attributes: Mapping[str, Scalar] = field(default_factory=dict)
    interests: Mapping[str, Said] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonChange:
    """One change of what is known of people beside events. ``stated``: ``profile`` is the whole of it from ``at`` on.
    ``merged``: ``subject``, a visitor, turned out to be ``account``. Subjects are pseudonyms."""

    number: int
    at: int
    subject: str
    kind: Literal["stated", "merged"]
    account: str = ""
    profile: Profile = field(default_factory=Profile)
