"""The event types that every installation knows, with their default settings."""

from collections.abc import Mapping

from storage.records.events import Counter, EventType, Role

_DAY_S = 86_400.0

_TABLE: tuple[tuple[str, float, float, Role, Counter], ...] = (
    # type, weight, half-life in days, role, counter
    ("impression", 0.0, 7, "shown", "impressions"),
    ("view", 0.5, 7, "interest", "views"),
    ("click", 1.0, 7, "interest", "clicks"),
    ("dwell", 1.0, 7, "interest", "dwell_s"),
    ("search", 0.5, 3, "none", "searches"),
    ("like", 2.0, 30, "interest", "likes"),
    ("comment", 2.0, 30, "interest", "likes"),
    ("share", 2.5, 30, "interest", "likes"),
    ("reaction", 1.5, 30, "interest", "likes"),
    ("skip", -0.5, 3, "rejection", "rejections"),
    ("accept", 2.0, 30, "commitment", ""),
    ("add_to_cart", 3.0, 14, "interest", "carts"),
    ("wishlist", 2.5, 30, "interest", "wishes"),
    ("purchase", 5.0, 60, "commitment", "purchases"),
    ("conversion", 3.0, 30, "commitment", "purchases"),
    ("rating", 2.0, 90, "interest", "ratings"),
    ("survey", 1.0, 90, "none", "ratings"),
    ("trip", 2.0, 30, "commitment", ""),
    ("login", 0.0, 7, "none", "logins"),
)


def standard_events(**changed: EventType) -> Mapping[str, EventType]:
    """Return the standard event types by name; ``changed`` replaces some, or declares more.

    >>> standard_events(unboxing=EventType(weight=4.0))["unboxing"].weight
    4.0
    """
    standard = {
        name: EventType(weight=weight, half_life_s=days * _DAY_S, role=role, counter=counter)
        for name, weight, days, role, counter in _TABLE
    }
    return {**standard, **changed}
