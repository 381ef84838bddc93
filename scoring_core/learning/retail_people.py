"""Forecasts of people on UCI Online Retail, each beside the one-line rules on time that nothing was fitted on."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scoring_core.learning.acts import Acts
from scoring_core.learning.churn import learn_churn
from scoring_core.learning.creators import learn_creators
from scoring_core.learning.next_action import learn_next_action
from scoring_core.learning.retail import Retail, read_retail
from scoring_core.learning.value import learn_value
from storage.records.clock import iso

CHURN_DAYS = 60.0
"""Who buys nothing for so long is lost."""
METRICS: Mapping[str, str] = {
    "churn": "AUC",
    "value": "mean absolute error",
    "next_action": "log loss",
    "creators": "log loss",
}
LEARNERS: Mapping[str, Callable[..., Any]] = {
    "churn": learn_churn,
    "value": learn_value,
    "next_action": learn_next_action,
    "creators": learn_creators,
}
DAYS: Mapping[str, float] = {"churn": CHURN_DAYS, "value": CHURN_DAYS, "next_action": 30.0, "creators": 30.0}


def acts_of(retail: Retail) -> Acts:
    """Return every row as a purchase worth its quantity times its price. The data names no creators: the last word of
    a description (HOLDER, LANTERN, BAG) stands for one."""
    known = retail.known
    makers, maker = np.unique([(text.split() or ["?"])[-1] for text in retail.descriptions], return_inverse=True)
    return Acts(
        person=known.person,
        at=known.at,
        type=np.zeros(len(known), dtype=np.int64),
        item=known.ordinal,
        value=retail.price * retail.quantity,
        types=("purchase",),
        commits=np.array([True]),
        people=known.people,
        items=retail.descriptions,
        makers=tuple(makers.tolist()),
        maker=maker.astype(np.int64),
    )


def forecasts(path: Path, *, seed: int, say: Callable[[str], None]) -> Mapping[str, Any]:
    """Measure each forecast of people on the last horizon of the log.

    Raises
    ------
    NotFound, Invalid
        If there is no such file, or it is not the data set.
    """
    acts = acts_of(read_retail(path))
    return {"data": {"rows": len(acts), "people": acts.people}, "seed": seed} | {
        name: measured(name, acts, seed=seed, say=say) for name in LEARNERS
    }


def measured(name: str, acts: Acts, *, seed: int, say: Callable[[str], None]) -> Mapping[str, Any]:
    """Fit one forecast and return its figures beside those of every rule."""
    say(f"{name}: fitting on early cuts, asking on the last")
    found = LEARNERS[name](acts, horizon_days=DAYS[name], seed=seed)
    told = dict(found.evaluation)
    say(f"{name}: {told['sentence']}")
    return {
        "metric": METRICS[name],
        **told,
        "cuts": {
            "fit": [iso(each) for each in sorted(found.cuts.fit)],
            "calibrate": iso(found.cuts.calibrate),
            "held_out": iso(found.cuts.held_out),
            "horizon_days": found.cuts.horizon_days,
        },
    }
