"""What commands about consent carry."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from governance.api.bodies import Name, Text
from governance.consent import MOST_ASKED
from governance.consent_texts import MOST_TEXT
from storage.records.consent import Purpose
from storage.records.document import document

Source = Annotated[str, Field(min_length=1, max_length=64)]
Version = Annotated[str, Field(max_length=64)]


@document
class ConsentOrder:
    """What a person, by raw id, said about one purpose, and to which wording."""

    subject: Name
    purpose: Purpose
    reason: Text
    source: Source = "control"
    text_version: Version = ""


@document
class StateQuery:
    """A person by raw id, where they are, and why they are looked up."""

    subject: Name
    reason: Text
    region: Annotated[str, Field(max_length=64)] = ""


@document
class CheckQuery:
    """Many people by raw id, and for what they shall be addressed."""

    subjects: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST_ASKED)]
    purpose: Purpose
    reason: Text
    region: Annotated[str, Field(max_length=64)] = ""


@document
class ConsentFile:
    """Statements as the text of a CSV file."""

    csv: Annotated[str, Field(min_length=1)]
    source: Source
    reason: Text


@document
class NewWording:
    """A wording to publish; what else it must be, the action says."""

    purpose: Purpose
    version: Name
    body: Annotated[str, Field(max_length=MOST_TEXT)]
    reason: Text
    language: Annotated[str, Field(max_length=35)] = "en"


@document
class PlatformOrder:
    """A consent platform to declare, or what it is to become."""

    platform: Mapping[str, Any]
    reason: Text
    confirm: Text = ""
