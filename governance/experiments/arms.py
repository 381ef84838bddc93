"""One experiment while it is read out: its arms, its health, and each arm beside the reference."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp

from governance.experiments.advice import advised
from governance.experiments.lift import Mean, Stratum, design_effect, lift, stratified
from governance.experiments.readout import ArmDayShown, ArmReadout, Comparison, Health, Readout
from governance.experiments.srm import imbalance
from governance.proportions import Tally, needed
from storage.arm_outcomes import EXPLORATION, LOG, ROLLOUT, ArmCount, ArmDay, ArmOutcomes
from storage.records.clock import DAY
from storage.records.findings import Verdict
from storage.records.proportions import wilson

SRM_RED, SRM_AMBER, SRM_APART = 0.001, 0.01, 0.001
"""A sample ratio is not believed at p < 0.001 and a deviation of a tenth of a percentage point; doubted below 0.01."""


class Experiment:
    """One test of one origin, while it is read out."""

    def __init__(
        self,
        test: str,
        origin: str,
        *,
        reference: str,
        arms: Sequence[ArmCount],
        found: ArmOutcomes,
        shares: Mapping[str, float],
    ) -> None:
        self.test, self.origin, self.shares = test, origin, shares
        self.kind = test.partition("/")[0]
        self.reference = next((arm for arm in arms if arm.arm == reference), arms[0])
        others = [arm for arm in arms if arm is not self.reference]
        if self.kind == ROLLOUT:
            others = sorted(others, key=lambda arm: int(arm.arm[1:]))[-1:]
        self.arms = [*others, self.reference]
        self.days = [day for day in found.days if (day.test, day.origin) == (test, origin)]
        self.crossed = next((one for one in found.crossed if (one.test, one.origin) == (test, origin)), None)
        self.compared = [each for arm in others for each in self._comparisons(arm)]

    def _comparisons(self, arm: ArmCount) -> list[Comparison]:
        rows = [
            ("clicks", self._rates(arm, "clicks"), needed(_share(self.reference.clicks, self.reference.impressions))),
            *(
                [("conversions", self._rates(arm, "conversions"), None)]
                if (arm.conversions, self.reference.conversions) != (arm.clicks, self.reference.clicks)
                else []
            ),
            *(
                [("buyers", _buyers(arm, self.reference), None), ("value", _values(arm, self.reference), None)]
                if arm.buyers + self.reference.buyers
                else []
            ),
        ]
        made = []
        for metric, both, wanted in rows:
            apart = lift(*both) if both is not None else None
            if apart is not None:
                missing = max(0, wanted - min(arm.impressions, self.reference.impressions)) if wanted else None
                made.append(Comparison(metric=metric, arm=arm.arm, lift=apart, needed=missing))  # type: ignore[arg-type]  # of the rows above
        return made

    def _rates(self, arm: ArmCount, hits: str) -> tuple[Mean, Mean] | None:
        places: dict[tuple[int, str], list[int]] = {}
        for day in self.days:
            if day.arm in (arm.arm, self.reference.arm):
                sums = places.setdefault((day.day, day.place), [0, 0, 0, 0])
                at = 0 if day.arm == arm.arm else 2
                sums[at] += day.impressions
                sums[at + 1] += getattr(day, hits)
        strata = [Stratum(n=n, hits=k, reference_n=m, reference_hits=j) for n, k, m, j in places.values()]
        return stratified(strata, spread=design_effect(_tally(arm, hits), _tally(self.reference, hits)))

    def health(self) -> Health:
        """Return what is looked at first."""
        people, days = sum(arm.people for arm in self.arms), len({day.day for day in self.days})
        p, apart, word = self._ratio()
        crossed, known = (self.crossed.crossed, self.crossed.people) if self.crossed else (0, 0)
        sentences = {
            "fail": f"The arms do not have their shares: {100 * (apart or 0.0):.1f} percentage points off.",
            "warn": f"The shares of the arms are in doubt: {100 * (apart or 0.0):.1f} percentage points off.",
            "pass": "The arms have their shares.",
            "unknown": "No shares were set that could be tested.",
        }
        return Health(
            days=days,
            people=people,
            impressions=sum(arm.impressions for arm in self.arms),
            events=sum(arm.clicks for arm in self.arms),
            srm_p=p,
            srm_deviation=apart,
            srm=word,
            crossed=crossed,
            crossed_share=crossed / known if known else None,
            sentence=sentences[word],
        )

    def _ratio(self) -> tuple[float | None, float | None, Verdict]:
        if not self.shares or any(arm.arm not in self.shares for arm in self.arms):
            return None, None, "unknown"
        counts, shares = [arm.people for arm in self.arms], [self.shares[arm.arm] for arm in self.arms]
        whole = sum(shares)
        if whole <= 0.0 or not sum(counts):
            return None, None, "unknown"
        p = min(1.0, exp(-min(imbalance(counts, shares), 700.0)))
        apart = max(abs(count / sum(counts) - share / whole) for count, share in zip(counts, shares, strict=True))
        red = p < SRM_RED and apart >= SRM_APART
        return p, apart, "fail" if red else "warn" if p < SRM_AMBER else "pass"

    def told(self, *, stands: set[tuple[int, str]], now: int, min_days: int, min_hits: int) -> Readout:
        """Return the whole."""
        health = self.health()
        compared = tuple(replace(each, stands=(id(self), each.arm) in stands) for each in self.compared)
        hidden = "" if self.kind == LOG else self._early(health.days, min_days, min_hits)
        advice, verdict, sentence = advised(
            health,
            hidden,
            compared,
            kind=self.kind,
            reference=self.reference.arm,
            running=self._last() > now - DAY,
            simulated=self.origin == "simulated",
        )
        return Readout(
            key=self.test,
            kind=self.kind,
            title=_title(self.test),
            origin="real" if self.origin == "live" else self.origin,  # type: ignore[arg-type]  # one of three origins
            reference=self.reference.arm,
            started_at=min(arm.first_at for arm in self.arms),
            last_at=self._last(),
            health=health,
            hidden=hidden,
            arms=tuple(_arm(arm, self.shares.get(arm.arm)) for arm in self.arms),
            comparisons=compared,
            days=_days(self.days),
            verdict=verdict,
            advice=advice,
            sentence=sentence,
        )

    def _last(self) -> int:
        return max(arm.last_at for arm in self.arms)

    def _early(self, days: int, min_days: int, min_hits: int) -> str:
        fewest = min(arm.clicks for arm in self.arms)
        missing = [
            text
            for text, wanted in (
                (f"{min_days - days} more {'day' if min_days - days == 1 else 'days'}", days < min_days),
                (f"{min_hits - fewest} more clicks in the smallest arm", fewest < min_hits),
            )
            if wanted
        ]
        return f"Results are hidden for {' and '.join(missing)}: an early look decides nothing." if missing else ""


def _share(hits: int, n: int) -> float:
    return hits / n if n else 0.0


def _tally(arm: ArmCount, hits: str) -> Tally:
    clicks = hits == "clicks"
    return Tally(
        n=arm.impressions,
        hits=arm.clicks if clicks else arm.conversions,
        people=arm.people,
        nn=arm.impressions_squared,
        hh=arm.clicks_squared if clicks else arm.conversions_squared,
        hn=arm.clicks_by_impressions if clicks else arm.conversions_by_impressions,
    )


def _buyers(arm: ArmCount, reference: ArmCount) -> tuple[Mean, Mean] | None:
    return stratified(
        [Stratum(n=arm.known, hits=arm.buyers, reference_n=reference.known, reference_hits=reference.buyers)]
    )


def _values(arm: ArmCount, reference: ArmCount) -> tuple[Mean, Mean] | None:
    means = [_mean(one) for one in (arm, reference)]
    return (means[0], means[1]) if means[0] is not None and means[1] is not None else None


def _mean(arm: ArmCount) -> Mean | None:
    """Return the mean value per known person, and its variance."""
    if arm.known < 2:
        return None
    mean = arm.value / arm.known
    spread = max(0.0, arm.value_squared - arm.known * mean * mean) / (arm.known - 1)
    return Mean(value=mean, variance=spread / arm.known)


def _arm(arm: ArmCount, share: float | None) -> ArmReadout:
    low, high = wilson(arm.clicks, arm.impressions)
    least, most = wilson(arm.conversions, arm.impressions)
    return ArmReadout(
        arm=arm.arm,
        share=share,
        decisions=arm.decisions,
        people=arm.people,
        known=arm.known,
        impressions=arm.impressions,
        clicks=arm.clicks,
        conversions=arm.conversions,
        rate=arm.clicks / arm.impressions if arm.impressions else None,
        low=low,
        high=high,
        conversion_rate=arm.conversions / arm.impressions if arm.impressions else None,
        conversion_low=least,
        conversion_high=most,
        buyers=arm.buyers,
        value=arm.value,
    )


def _days(days: Sequence[ArmDay]) -> tuple[ArmDayShown, ...]:
    sums: dict[tuple[int, str], list[int]] = {}
    for day in days:
        one = sums.setdefault((day.day, day.arm), [0, 0])
        one[0] += day.decisions
        one[1] += day.impressions
    return tuple(
        ArmDayShown(day=at, arm=arm, decisions=n, impressions=shown) for (at, arm), (n, shown) in sorted(sums.items())
    )


def _title(test: str) -> str:
    kind, _, name = test.partition("/")
    return {
        "holdout": f"Campaign {name} against its holdout",
        "rule": f"Arms of the rule {name}",
        ROLLOUT: f"Rollout of the policy {name}",
        EXPLORATION: f"What is ranked on {name} against a draw by chance",
        LOG: f"Policies of the imported log {name}",
    }.get(kind, test)
