"""What engines counted lately, as checks ask for it."""

from collections.abc import Callable, Mapping

from governance.checks.check import Ground
from governance.proportions import Tally
from storage import series
from storage.records.proportions import wilson

REQUESTS = "fairlead_decision_requests_total"
Chosen = Callable[[Mapping[str, str]], bool]


def everything(_labels: Mapping[str, str]) -> bool:
    """Choose all."""
    return True


def tally(
    ground: Ground, name: str, *, start: int, end: int, hit: Chosen, of: Chosen = everything, by: tuple[str, ...] = ()
) -> Tally:
    """Return how many were counted between two instants and how many of them are hits; 0 where nobody observed."""
    steps = [
        step
        for step in series.total(ground.read, name, start=start, end=end, by=by)
        if step.value is not None and of(step.labels)
    ]
    n, hits = (sum(step.value or 0.0 for step in steps if chosen(step.labels)) for chosen in (everything, hit))
    return Tally(n=int(n), hits=int(hits))


def observed(ground: Ground, name: str, *, start: int, end: int) -> bool:
    """Tell whether anybody looked between two instants: nothing seen by nobody is no silence."""
    return any(step.covered_us for step in series.total(ground.read, name, start=start, end=end))


def summed(ground: Ground, name: str, *, since: int, of: Chosen = everything, by: tuple[str, ...] = ()) -> int | None:
    """Return the sum of a counter since an instant; None where nobody observed."""
    steps = series.total(ground.read, name, start=since, end=ground.now, by=by)
    known = [step.value for step in steps if step.value is not None and of(step.labels)]
    return int(sum(known)) if known else None


def share(found: Tally) -> str:
    """Return a share with its 95 % interval, in words."""
    low, high = wilson(found.hits, found.n)
    return f"{found.rate or 0.0:.2%} ({low:.2%}–{high:.2%}) of {found.n:,}"
