"""The providers' side: whose items are shown, by exposure, beside what they have on the shelf and what is clicked."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from governance.checks.comparison import number
from governance.checks.population import Grouping
from governance.checks.shown import Impressions
from scoring_core.learning.acts import MAKERS
from storage import catalogue
from storage.database import Read

PROVIDER = "provider"
"""Names the item's maker: the first attribute of ``MAKERS`` that any item has."""


def providers(read: Read, attribute: str) -> Mapping[str, str]:
    """Return the value of an attribute of each item that has one; ``provider`` is whoever made it."""
    items = catalogue.load(read).items
    name = attribute
    if attribute == PROVIDER:
        name = next((each for each in MAKERS if any(each in item.attributes for item in items)), attribute)
    return {item.item_id: str(item.attributes[name]) for item in items if name in item.attributes}


def shelf(shown: Impressions, groups: Grouping, told: Mapping[str, str]) -> dict[str, Any]:
    """Return each provider's share of the catalogue, of impressions, of exposure and of clicks.

    ``exposure_to_merit`` is the share of exposure over the share of clicks, 1 where attention goes as clicks do; None
    where nothing was clicked.

    References
    ----------
    Singh and Joachims, Fairness of Exposure in Rankings, KDD 2018 (disparate treatment).
    """
    known = groups.codes >= 0
    codes, height = groups.codes[known], len(groups.names)
    exposure = 1.0 / np.log2(1.0 + shown.position[known])
    sums = {
        "impressions": np.bincount(codes, minlength=height).astype(np.float64),
        "exposure": np.bincount(codes, weights=exposure, minlength=height),
        "click": np.bincount(codes, weights=shown.clicked[known], minlength=height).astype(np.float64),
    }
    shares = {name: _share(each) for name, each in sums.items()}
    held = _held(groups.names, told.values())
    return {
        "attribute": groups.name,
        "groups": [
            {
                "group": name,
                "items": int(held[place]),
                "impressions": int(sums["impressions"][place]),
                "catalogue_share": number(held[place] / held.sum()) if held.sum() else None,
                "exposure_share": number(shares["exposure"][place]),
                "click_share": number(shares["click"][place]),
                "exposure_to_merit": number(shares["exposure"][place] / shares["click"][place])
                if shares["click"][place] > 0
                else None,
            }
            for place, name in enumerate(groups.names)
        ],
        "unseen": len(set(told.values()) - set(groups.names)),
    }


def _share(sums: Any) -> Any:
    return sums / sums.sum() if sums.sum() > 0 else np.full(len(sums), np.nan)


def _held(names: Sequence[str], values: Any) -> Any:
    counts = dict.fromkeys(names, 0)
    for value in values:
        if value in counts:
            counts[value] += 1
    return np.array(list(counts.values()), dtype=np.float64)
