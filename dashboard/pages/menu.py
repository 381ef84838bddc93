"""The menu: the pages that a person may open, in sections."""

from collections.abc import Mapping

from dashboard.context import Me
from dashboard.pages.registry import PAGES, Page

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "": ("overview",),
    "Watch": ("live", "alerts", "checks"),
    "Campaigns": ("heatmaps", "segments", "experiments", "insights"),
    "Audit": ("fairness", "drift", "models", "explorer", "ledger"),
    "Govern": ("policies", "whatif", "rules", "toggles", "caps", "consent"),
    "System": ("access", "system"),
}
"""What happens now; what is shown to whom; whether it went well; what is allowed; what runs. The landing page stands
above them."""
REST = "More"


def menu(me: Me) -> dict[str, list[Page]]:
    """Return the pages that a person may open by section, in its order: those of the role, and the rest as "More".

    >>> nobody = Me(principal="x", role="marketer", scopes=frozenset({"read"}))
    >>> found = menu(nobody)
    >>> list(found)
    ['', 'Campaigns', 'Govern', 'More']
    >>> [page.key for page in found["Campaigns"]]
    ['heatmaps', 'segments', 'experiments', 'insights']
    """
    allowed = {page.key: page for page in PAGES if me.may(page.scope)}
    first = [key for key, page in allowed.items() if (me.like or me.role) in page.first_for] or list(allowed)
    found = {name: [allowed[key] for key in keys if key in first] for name, keys in SECTIONS.items()}
    placed = {page.key for pages in found.values() for page in pages}
    found[REST] = [page for key, page in allowed.items() if key not in placed]
    return {name: pages for name, pages in found.items() if pages}
