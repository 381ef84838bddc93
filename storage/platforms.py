"""Consent platforms as they are declared."""

from collections.abc import Mapping
from dataclasses import field

from storage import documents
from storage.database import Read, Write
from storage.records.document import document
from storage.records.platforms import ConsentPlatform

PLATFORMS = "consent_platforms"


@document
class Declared:
    """Every declared platform by name."""

    platforms: Mapping[str, ConsentPlatform] = field(default_factory=dict)


def declared(read: Read) -> Mapping[str, ConsentPlatform]:
    """Return the declared platforms by name."""
    found = documents.load(read, PLATFORMS, Declared)
    return {} if found is None else found.platforms


def declare(write: Write, name: str, platform: ConsentPlatform | None) -> None:
    """Declare a platform, or with None forget it; what it told stays."""
    others = {key: each for key, each in declared(write).items() if key != name}
    documents.save(write, PLATFORMS, Declared(platforms=others if platform is None else {**others, name: platform}))
