"""Groups within each level of a control feature, as Fairlearn's ``control_features`` gives them."""

from typing import Any

import numpy as np

from governance.checks.comparison import number
from governance.checks.permutation import mean
from governance.checks.population import Grouping, Measure, counted


def by_control(groups: Grouping, measure: Measure, control: Grouping) -> list[dict[str, Any]]:
    """Return each level's overall mean, its groups' means, and their ratio and difference; null of no row."""
    found = []
    for place, level in enumerate(control.names):
        inside = np.where(control.codes == place, groups.codes, -1)
        counts = counted(Grouping(by=groups.by, names=groups.names, levels=groups.levels, codes=inside), measure)
        sizes, means = counts.sum(axis=1), mean(counts, measure.values)
        there = means[sizes > 0]
        lowest, highest = (float(there.min()), float(there.max())) if len(there) else (float("nan"),) * 2
        found.append(
            {
                "level": level,
                "n": int(sizes.sum()),
                "overall": number(float(mean(counts.sum(axis=0)[None], measure.values)[0])),
                "groups": [
                    {"group": name, "n": int(n), "value": number(float(value))}
                    for name, n, value in zip(groups.names, sizes, means, strict=True)
                ],
                "ratio": number(lowest / highest) if highest > 0 else None,
                "difference": number(highest - lowest),
            }
        )
    return found
