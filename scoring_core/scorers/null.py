"""The scorer that prefers nothing: candidates stay in the order in which they came."""

from hashlib import sha256

import numpy as np

from scoring_core.scorers.protocol import Floats, Scores


class NullScorer:
    """Scores everything zero."""

    name = "null"
    version = "1"
    digest = sha256(b"null/1").hexdigest()
    features: tuple[str, ...] = ()

    def score(self, table: Floats) -> Scores:
        """Return zeros."""
        return Scores(np.zeros(len(table)), np.empty((len(table), 0)))
