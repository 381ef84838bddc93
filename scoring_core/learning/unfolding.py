"""What was known of people at each decision, told span by span: only one span's people are in memory."""

from itertools import islice

from scoring_core.learning.datasets import Pasts
from scoring_core.learning.pasts import past_states
from scoring_core.live import Shelf
from storage.database import Database
from storage.lake import Lake

_LOOKS = """
SELECT count(*) FROM decisions WHERE user_vector IS NOT NULL AND subject IS NOT NULL AND "at" < $end
"""


class Unfolding:
    """The past of people as far as it was asked for; it goes forward only."""

    def __init__(self, database: Database, lake: Lake, *, shelf: Shelf) -> None:
        self._database, self._lake = database, lake
        self._states = past_states(database, lake, shelf=shelf)
        self._told = 0

    def until(self, end: int) -> Pasts:
        """Return, by decision, what was known in those made since the last call and before ``end``."""
        with self._database.read() as read, self._lake.connect(read) as duck:
            count: int = duck.execute(_LOOKS, {"end": end}).fetchall()[0][0]
        found = dict(islice(self._states, max(0, count - self._told)))
        self._told = max(self._told, count)
        return found
