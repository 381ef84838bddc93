"""What commands about alerts and objectives carry."""

from typing import Annotated

from pydantic import Field

from governance.api.bodies import Name, Text
from storage.records.alerts import Slo
from storage.records.document import document


@document
class Hush:
    """How long to be silent, and why."""

    minutes: Annotated[int, Field(ge=1, le=24 * 60)]
    reason: Text


@document
class TryAlert:
    """Which kind of alert to test, and why."""

    name: Name
    reason: Text


@document
class NewSlo:
    """An objective to write, or what an existing one is to become."""

    slo: Slo
    reason: Text
    confirm: Text = ""
