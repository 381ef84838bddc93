"""How long what was seen is kept."""

from typing import Annotated

from pydantic import Field

from storage.records.document import document

Days = Annotated[int, Field(ge=1, le=36_500)]


@document
class Retention:
    """Days after which decisions and events leave the lake (their counts stay), counts leave the heatmaps, refused
    events and exports of personal data are deleted, and answered requests are forgotten. Rows of an import count from
    the import on. What was asked for beyond is limited by ``retention_max_bytes``."""

    rows_days: Days = 180
    cells_days: Days = 400
    dead_letters_days: Days = 30
    exports_days: Days = 7
    requests_days: Days = 1_095
