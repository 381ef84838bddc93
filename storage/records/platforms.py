"""How a consent platform's own words are read as purposes and states."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated

from pydantic import Field

from storage.records.consent import ConsentState, Purpose
from storage.records.document import document

Path = Annotated[str, Field(max_length=200, pattern=r"^[^\s]*$")]
Word = Annotated[str, Field(min_length=1, max_length=128)]


@document
class ConsentPlatform:
    """Where a platform's message says who, which purpose, yes or no, and when.

    Paths are dotted (``data.user.id``). ``items`` leads to the list of purposes, or to an object of purpose → state
    (then ``purpose`` and ``state`` are not asked); empty: the message is one itself. ``purposes`` maps the platform's
    ids of purposes to ours, each to one or more; what is not mapped is passed over and counted. ``states`` maps its
    words (``true`` and ``false`` for booleans); a word that is not there refuses the message.
    """

    subject: Annotated[Path, Field(min_length=1)]
    purposes: Annotated[Mapping[Word, tuple[Purpose, ...]], Field(min_length=1, max_length=200)]
    states: Annotated[Mapping[Word, ConsentState], Field(min_length=1, max_length=50)] = field(
        default_factory=lambda: {"true": "granted", "false": "denied"}
    )
    items: Path = ""
    purpose: Path = "purpose"
    state: Path = "state"
    at: Path = ""
    text_version: Path = ""
