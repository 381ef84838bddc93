"""The app's configuration for one person: the installation's defaults, adapted by the rules that hold."""

from collections.abc import Iterable, Mapping

import numpy as np

from scoring_core.circumstances import circumstances
from scoring_core.experiments.allocation import allot
from scoring_core.features.profile import settled
from scoring_core.gate import Admission, Refusal
from scoring_core.live import Facts, Live, Request
from scoring_core.record import inputs, sealed
from scoring_core.rules import Active, Ruleset
from scoring_core.runtime import runtime_digest
from scoring_core.stages import Stopwatch, stopped
from storage.records.decisions import Decision
from storage.records.events import Scalar

NO_ITEMS = np.array([], dtype=np.int64)
NO_RULES = Ruleset((), items=0)
NO_SLOTS = 0
"""A decision of no slots is one about the configuration."""


def adapt(
    request: Request,
    facts: Facts,
    live: Live,
    now: int,
    *,
    admission: Admission,
    replica: str = "",
    runtime: str | None = None,
    watch: Stopwatch | None = None,
) -> Decision:
    """Adapt the configuration to who asks, and record everything that it takes to do it again. Pure.

    Whom the gate does not admit gets the defaults, and so does who is in a campaign's holdout. The surface's policy
    version, where there is one, brings its own rules. ``reasons`` tell of each setting, by name, which rule set it.
    """
    watch = watch or stopped()
    plan, defaults = live.plan, live.snapshot.installation.app
    refused = isinstance(admission, Refusal)
    user = None if refused else settled(facts.user, now, reads=plan.reads)
    fields = inputs(
        request,
        live,
        now=now,
        admission=admission,
        seed=0,
        user=user,
        facts=facts,
        replica=replica,
        runtime=runtime or runtime_digest(),
    )
    if isinstance(admission, Refusal):
        fields = sealed(fields, NO_ITEMS, live=live, refusal=admission.reason)
        return _recorded(fields, defaults, {}, reason=admission.reason, watch=watch)
    asking = circumstances(request, user, facts.plugins, now, plan=plan, shelf=live.shelf)
    allotted = allot(
        plan,
        subject=admission.subject,
        surface=request.surface,
        campaign=request.campaign,
        asking=asking,
        now=now,
    )
    watch.lap("policy")
    planned = allotted.policy
    fields = sealed(fields, NO_ITEMS, live=live) | {
        "policy": planned.key if planned is not None else None,
        "version": planned.version if planned is not None else None,
        "bucket": allotted.bucket,
    }
    if planned is None and allotted.reason != "no_policy":
        return _recorded(fields, defaults, {}, reason=allotted.reason, arms=allotted.arms, watch=watch)
    rules = planned.settings if planned is not None else plan.settings.get(request.surface, NO_RULES)
    holding = rules.holding(asking=asking, subject=admission.subject, campaign=request.campaign, now=now)
    adapted, by = adapted_by(defaults, rules.active(holding))
    watch.lap("rules")
    return _recorded(
        fields, adapted, by, reason="adapted" if by else "defaults", arms={**allotted.arms, **holding.arms}, watch=watch
    )


def adapted_by(defaults: Mapping[str, Scalar], active: Iterable[Active]) -> tuple[dict[str, Scalar], dict[str, str]]:
    """Return the configuration, and by setting the key of the rule that set it: the first to name a setting has it. A
    setting that the installation does not have, or of another kind than its default, is left alone."""
    adapted, by = dict(defaults), {}
    for one in active:
        for name, value in one.values.items():
            if name in defaults and name not in by and kind_of(value) == kind_of(defaults[name]):
                adapted[name] = value
                by[name] = one.planned.rule.key
    return adapted, by


def kind_of(value: Scalar) -> str:
    """Return what kind of value a setting is.

    >>> kind_of(True), kind_of(2), kind_of(2.5), kind_of("dark")
    ('boolean', 'number', 'number', 'string')
    """
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"


def _recorded(
    fields: Mapping[str, object],
    adapted: Mapping[str, Scalar],
    by: Mapping[str, str],
    *,
    reason: str,
    arms: Mapping[str, str] | None = None,
    watch: Stopwatch,
) -> Decision:
    missing = {"policy": None, "version": None, "bucket": None}
    return Decision(
        **{**missing, **fields},  # type: ignore[arg-type]  # the fields of a record, by name
        arms=arms or {},
        served_by="rules" if by else "default",
        reason=reason,
        settings=adapted,
        rules=tuple(f"{key}:set" for key in dict.fromkeys(by.values())),
        reasons=tuple((f"rule:{by[name]}",) if name in by else ("default",) for name in sorted(adapted)),
        stage_us=watch.laps,
    )
