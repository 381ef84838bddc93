"""What a person sends of themselves."""

from pydantic import BaseModel, ConfigDict, Field

from storage.records.consent import Purpose


class OwnWord(BaseModel):
    """One purpose; nobody asks a person why. ``text_version`` is the wording that they saw."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    purpose: Purpose
    text_version: str = Field(default="", max_length=64)
