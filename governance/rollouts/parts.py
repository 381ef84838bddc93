"""What several gates work out of what was counted."""

from collections.abc import Sequence

from governance.experiments.sequential import Stratum
from storage.records.rollouts import Cells


def share(part: int, whole: int) -> float | None:
    """Return a share, None of nothing."""
    return part / whole if whole else None


def strata(cells: Sequence[Cells]) -> list[Stratum]:
    """Return outcomes as strata, one per step."""
    return [Stratum(treated=each[0], treated_hits=each[1], control=each[2], control_hits=each[3]) for each in cells]
