"""Which alerts are noisy: they come again and again, and nobody does anything about them."""

from collections.abc import Sequence
from dataclasses import dataclass

from governance.alerts.life import SYSTEM
from storage.records.alerts import Alert, Silence

OFTEN = 5
"""More often than this without anybody's action is noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """One fingerprint that is noisy: how often it fired, and when last."""

    fingerprint: str
    name: str
    title: str
    fires: int
    last_at: int


def _answered(alert: Alert) -> bool:
    return alert.acked_at is not None or (alert.resolved_at is not None and alert.resolved_by != SYSTEM)


def noisy(found: Sequence[Alert], silences: Sequence[Silence]) -> list[Noise]:
    """Return what fired more than five times without anybody acknowledging, silencing or closing it, the noisiest
    first."""
    answered = {one.fingerprint for one in silences} | {one.fingerprint for one in found if _answered(one)}
    by_print: dict[str, list[Alert]] = {}
    for one in found:
        if not one.test and one.fingerprint not in answered:
            by_print.setdefault(one.fingerprint, []).append(one)
    made = [
        Noise(
            fingerprint=key,
            name=some[0].name,
            title=some[0].title,
            fires=sum(one.fires for one in some),
            last_at=max(one.fired_at for one in some),
        )
        for key, some in by_print.items()
    ]
    return sorted((one for one in made if one.fires > OFTEN), key=lambda one: -one.fires)
