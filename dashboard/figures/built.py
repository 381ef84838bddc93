"""Figures, built once for the same numbers: to build and check one takes longer than to read what it shows."""

import pickle
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec

import plotly.graph_objects as go

P = ParamSpec("P")

MOST = 64
_known: "OrderedDict[tuple[str, str, bytes], Built]" = OrderedDict()
_lock = Lock()


class Built(go.Figure):  # type: ignore[misc]  # plotly has no types
    """A figure that is drawn again and again as it is; who wants another one makes a copy."""

    def __init__(self, figure: go.Figure) -> None:
        super().__init__(figure)
        self._told: dict[str, Any] = super().to_dict()

    def to_dict(self) -> dict[str, Any]:
        """Return the figure as it was built; not to be written to."""
        return self._told


def once(build: Callable[P, go.Figure]) -> Callable[P, go.Figure]:
    """Let ``build`` return the figure that it returned for the same arguments, if that was lately.

    Equal arguments are told by their pickled bytes, so a figure is never shown for other numbers than its own.
    """

    @wraps(build)
    def found(*args: P.args, **kwargs: P.kwargs) -> go.Figure:
        key = (build.__module__, build.__qualname__, pickle.dumps((args, kwargs)))
        with _lock:
            known = _known.get(key)
            if known is not None:
                _known.move_to_end(key)
                return known
        made = Built(build(*args, **kwargs))
        with _lock:
            _known[key] = made
            while len(_known) > MOST:
                _known.popitem(last=False)
        return made

    return found
