"""The whole decision, one function that reads top to bottom."""

import numpy as np

from scoring_core.because import more, risen
from scoring_core.candidates.sources import asked_for, candidates, eligible
from scoring_core.caps import hold, ration
from scoring_core.circumstances import circumstances
from scoring_core.default import default_experience
from scoring_core.experiments.allocation import allot
from scoring_core.explore import Choice, Onlooker, explore, seed_of
from scoring_core.fallback import climb
from scoring_core.fatigue import tired, wearied
from scoring_core.features.profile import settled
from scoring_core.gate import Admission, Refusal
from scoring_core.live import Facts, Live, Request
from scoring_core.plan import caps_for
from scoring_core.ranked import all_scores, rank, score
from scoring_core.reasons import codes
from scoring_core.record import inputs, sealed
from scoring_core.rerank import rerank
from scoring_core.runtime import runtime_digest
from scoring_core.stages import Stopwatch, stopped
from storage.records.decisions import RANK_DTYPE, Decision


def decide(  # noqa: PLR0915  # the decision reads top to bottom in one function
    request: Request,
    facts: Facts,
    live: Live,
    rng: np.random.Generator,
    now: int,
    *,
    admission: Admission,
    replica: str = "",
    runtime: str | None = None,
    watch: Stopwatch | None = None,
    onlooker: Onlooker | None = None,
) -> Decision:
    """Decide what a request is shown, and record everything that it takes to decide it again.

    Pure: nothing is read but the arguments. ``rng`` is a fresh ``explore.seeded(seed)``; ``admission`` is what
    ``gate.admit`` said; ``watch`` measures the stages, and its laps are the record's ``stage_us``; ``onlooker`` is told
    among what is chosen.
    """
    watch = watch or stopped()
    shelf, items, plan = live.shelf, live.items, live.plan

    # gate
    refused = isinstance(admission, Refusal)
    user = None if refused else settled(facts.user, now, reads=plan.reads)
    fields = inputs(
        request,
        live,
        now=now,
        admission=admission,
        seed=0 if refused else seed_of(rng),
        user=user,
        facts=facts,
        replica=replica,
        runtime=runtime or runtime_digest(),
    )
    if isinstance(admission, Refusal):
        return default_experience(
            request, live, fields, facts=facts, reason=admission.reason, now=now, stage_us=watch.laps
        )

    # policy version by rollout bucket, experiment arms
    asking = circumstances(request, user, facts.plugins, now, plan=plan, shelf=shelf)
    allotted = allot(
        plan,
        subject=admission.subject,
        surface=request.surface,
        campaign=request.campaign,
        asking=asking,
        now=now,
    )
    planned = allotted.policy
    if planned is None:
        return default_experience(
            request,
            live,
            fields,
            facts=facts,
            reason=allotted.reason,
            now=now,
            allotted=allotted,
            stage_us=watch.laps,
        )
    policy = planned.policy
    watch.lap("policy")

    # candidates, filters
    masks = (planned.filters, *asked_for(request, plan, shelf))
    brought = candidates(
        request,
        policy,
        facts.brought,
        shelf=shelf,
        items=items,
        user=user,
        planned=planned,
        plan=plan,
        masks=masks,
        now=now,
        lists=live.lists,
    )
    ordinals = brought.ordinals
    places = eligible(ordinals, shelf=shelf, masks=masks, now=now, user=user, policy=policy)
    shown = ordinals if len(places) == len(ordinals) else ordinals[places]
    watch.lap("candidates")

    # feature table
    table = None
    weary, fatigue = tired(facts.fatigue if planned.tires else None, ordinals, places)
    if planned.table is not None:
        asked = planned.table.retrievers if user is not None else ()
        near = {
            name: planned.retrievers[name].affinity(user, shown)
            for name in asked
            if user is not None and name in planned.retrievers
        }
        table = planned.table.rows(
            shown, request.context, user, items, near=near, plugins=facts.plugins, now=now, fatigue=fatigue
        )
    held = hold(
        caps_for(plan, planned, request.surface, request.campaign),
        shown,
        counts=facts.caps,
        shelf=shelf,
        campaign=request.campaign,
        slots=request.slots,
        uncounted=policy.when_uncounted,
    )
    fields = sealed(fields, ordinals, live=live, counts=held.counts, fatigue=weary, planned=planned, table=table)
    watch.lap("features")

    # score
    scores = score(planned, table)
    watch.lap("score")

    # confidence, fallback
    best = plan.best_variants.get(f"{request.surface}/{request.campaign or ''}")
    ranked = rank(planned, scores, lambda: climb(policy.fallback, shown, items=items, best=best))
    values = ranked.values
    if fatigue is not None and policy.fatigue_tolerance is not None:
        values = wearied(values, fatigue.items, policy.fatigue_tolerance)
    watch.lap("confidence")

    # rules
    holding = planned.rules.holding(asking=asking, subject=admission.subject, campaign=request.campaign, now=now)
    ruled = planned.rules.apply(holding, values, ordinals=shown, slots=request.slots, allowed=held.kept)
    watch.lap("rules")

    # caps
    greedy = (-ruled.values).argsort(kind="stable")
    uncapped = greedy if ruled.kept is None else greedy[ruled.kept[greedy]]
    rationed = ration(held, uncapped if held.kept is None else uncapped[held.kept[uncapped]], ruled.pins, request.slots)
    greedy = unfair = rationed.order
    watch.lap("caps")

    # fair re-rank
    fair = None
    if planned.rerank is not None:
        fair = rerank(
            planned.rerank,
            greedy,
            values=ruled.values,
            groups=planned.rerank.groups[shown],
            pins=rationed.pins,
            slots=rationed.slots,
        )
        greedy = fair.order
    watch.lap("rerank")

    # explore
    draw = scores.draw if scores is not None and ranked.served_by == "model" else None
    slate = explore(
        greedy,
        rationed.slots,
        epsilon=policy.exploration.epsilon,
        rng=rng,
        pins=rationed.pins,
        values=ruled.values,
        draw=draw,
    )
    if onlooker is not None:
        onlooker(Choice(shown, greedy, rationed.slots, policy.exploration.epsilon, rationed.pins, ruled.values, draw))
    rows = np.array(slate.rows, dtype=np.int64)
    watch.lap("explore")

    # reasons
    said = more(
        slate,
        shown[rows],
        telling=planned.telling,
        user=user,
        shelf=shelf,
        ranked=ranked.served_by == "model",
        sources=(),
        capped=() if not rationed.caps else risen(slate.rows, uncapped, request.slots),
        fair=() if fair is None else risen(slate.rows, unfair, request.slots),
        now=now,
    )
    only_rules = bool(slate.rows) and len(slate.pinned) == len(slate.rows)
    left = len(shown) if ruled.kept is None else int(np.count_nonzero(ruled.kept))
    short = len(slate.rows) < min(request.slots, left)
    record = Decision(
        **fields,
        policy=planned.key,
        version=planned.version,
        bucket=allotted.bucket,
        arms={**allotted.arms, **ruled.arms},
        model=planned.model_name,
        model_version=planned.model.scorer.version if planned.model is not None and planned.model_name else None,
        scorer=policy.scorer.name,
        served_by="rules" if only_rules else ranked.served_by if slate.rows else "default",
        reason=_reason(ranked.reason, slate.rows, short=short),
        scores=all_scores(len(ordinals), places, scores),
        confidence_raw=ranked.sure.raw,
        confidence=ranked.sure.value,
        confidence_reason=ranked.sure.reason,
        ranking=places[rows].astype(RANK_DTYPE).tobytes(),
        items=tuple([shelf.catalogue.items[ordinal].item_id for ordinal in shown[rows].tolist()]),
        propensity=slate.propensity,
        sources=brought.sources,
        rules=ruled.applied,
        caps=rationed.caps,
        rerank_cost=None if fair is None else fair.cost,
        reasons=codes(slate, base=ranked.base, ruled=ruled, more=said),
        stage_us=watch.laps,
        assume_impression=policy.assume_impression,
        join_window_s=policy.join_window_s,
    )
    watch.lap("reasons")
    return record


def _reason(reason: str, rows: tuple[int, ...], *, short: bool) -> str:
    """Return why: what left slots open is said where nothing else is."""
    if short and (reason == "ok" or not rows):
        return "capped"
    return reason if rows else "no_candidates"
