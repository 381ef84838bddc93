"""Sessions: where one ends and the next begins.

A session begins with a person's first event, with an event of another session key than the one before, or after half an
hour without any. The hot store counts them so as events come; ``session_numbers`` finds the same ones in a history.
"""

import numpy as np
from numpy.typing import NDArray

from storage.records.clock import SECOND
from storage.records.subjects import SESSION_GAP_S

Whole = NDArray[np.int64]


def session_numbers(at: Whole, session: Whole) -> Whole:
    """Return the number of each event's session, from 0, of one person's events in order of time; ``session`` has the
    numbers of the keys (``evidence.session_number``), 0 where an event has none.

    >>> minute = 60_000_000
    >>> session_numbers(np.array([0, 1, 40, 41]) * minute, np.array([7, 0, 0, 8])).tolist()
    [0, 0, 1, 2]
    """
    if not len(at):
        return np.zeros(0, dtype=np.int64)
    named = np.maximum.accumulate(np.where(session != 0, np.arange(len(at)), -1))
    key = np.where(named >= 0, session[named], 0)
    other = (key[1:] != key[:-1]) & (key[:-1] != 0)
    begins = other | (np.diff(at) > SESSION_GAP_S * SECOND)
    return np.concatenate([[0], np.cumsum(begins)]).astype(np.int64)
