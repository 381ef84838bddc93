"""SQLModel rows; records elsewhere never see them. Every table of the house is listed in ``TABLES``."""

from sqlmodel import SQLModel

from storage.tables import (
    access,
    alerts,
    benchmarks,
    caps,
    checks,
    consent,
    control,
    drift,
    fairness,
    items,
    observed,
    people,
    requests,
    rollouts,
    rules,
    segments,
    toggles,
)

TABLES: tuple[type[SQLModel], ...] = tuple(
    row
    for module in (
        alerts,
        benchmarks,
        access,
        caps,
        checks,
        consent,
        control,
        drift,
        fairness,
        items,
        observed,
        people,
        requests,
        rollouts,
        rules,
        segments,
        toggles,
    )
    for row in vars(module).values()
    if isinstance(row, type) and issubclass(row, SQLModel) and row is not SQLModel
)
