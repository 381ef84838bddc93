"""POST /v1/personalize and /v1/rerank: from a body to an answered, recorded decision."""

import struct
from collections.abc import Mapping
from math import isfinite
from random import getrandbits
from typing import Any

import msgspec
from starlette.types import Receive, Send

from scoring_core.decide import decide
from scoring_core.edges.caps import joined
from scoring_core.edges.judgement import bad_scalar
from scoring_core.edges.replica import Replica
from scoring_core.edges.rest import searching
from scoring_core.edges.rest.bodies import DECISION, ConfigBody, DecisionBody
from scoring_core.edges.rest.exchange import Headers, answer_well, read_body
from scoring_core.edges.rest.mistakes import safe_name, strictly
from scoring_core.edges.rest.problems import Refused
from scoring_core.explore import seeded
from scoring_core.gate import admit
from scoring_core.live import Facts, Live, Request
from scoring_core.reasons import told as sentences_of
from scoring_core.reasons import words
from scoring_core.stages import Stopwatch
from storage.errors import Problem, Unavailable
from storage.eventlog.protocol import Draft
from storage.records import wire
from storage.records.access import Principal
from storage.records.access import Scope as May
from storage.records.consent import Consented
from storage.records.decisions import Decision
from storage.records.events import Scalar
from storage.records.policies import Attribute, Surface

NOBODY = Facts()
SEED_BITS = 63
MOST_SLOTS = 1_000

_KINDS: Mapping[str, tuple[type, ...]] = {"string": (str,), "number": (int, float), "boolean": (bool,)}
_SAID = {"string": "text", "number": "a number", "boolean": "true or false"}
_place = struct.Struct("<H").unpack_from
_score = struct.Struct("<d").unpack_from
_encode = msgspec.json.Encoder().encode


async def personalize(replica: Replica, headers: Headers, receive: Receive, send: Send, *, rerank: bool = False) -> int:
    """Answer the route; return the size of the body."""
    started = replica.clock_ns()
    principal = replica.door.admit(headers.authorization, May.DECIDE)
    body = await read_body(headers, receive, replica.config.max_body)
    record, made = await answered(replica, principal, strictly(DECISION, body), gpc=headers.gpc, rerank=rerank)
    await answer_well(send, headers, _encode(made))
    replica.tally.decided(record, (replica.clock_ns() - started) * 1e-9)
    return len(body)


async def answered(
    replica: Replica, principal: Principal, asked: DecisionBody, *, gpc: bool, rerank: bool = False
) -> tuple[Decision, dict[str, Any]]:
    """Decide what was asked for and record it; return the record and the answer."""
    live = replica.follower.live
    if live is None:
        raise Refused(503, "This replica is not ready yet; try again.", reason="overload")
    slots = check(asked, live, rerank=rerank)
    subject = None
    if asked.subject is not None:
        subject = replica.identities.cached(asked.subject) or await replica.identities.pseudonym(asked.subject)
    request = Request(
        decision_id=replica.new_id(),
        subject=subject,
        session=None if asked.session is None else replica.session_key(asked.session),
        sequence=replica.sequences.next(asked.session),
        surface=asked.surface,
        campaign=asked.campaign,
        slots=slots,
        context=asked.context,
        candidates=None if asked.candidates is None else tuple(asked.candidates),
        query=asked.query,
        filters=asked.filters,
        gpc=gpc,
        origin="simulated" if principal.may(May.SIMULATE) else "live",
    )
    await searching.prepare(request, live)
    record = await decided(replica, request, live)
    if gpc:
        people = {} if asked.subject is None else {asked.subject: subject}
        replica.objected(people, honoured=record.served_by == "default")
    store(replica, record)
    answer = told(record)
    if asked.facets:
        answer["facets"] = searching.facets(tuple(asked.facets), request, record, live)
    if rerank and request.candidates is not None:
        answer["rest"] = searching.rest_of(request.candidates, record, live.shelf)
    if asked.explain:
        _explain(answer, record, live)
    return record, answer


async def decided(replica: Replica, request: Request, live: Live) -> Decision:
    """Ask the gate, fetch what is known of the consented, decide."""
    watch = Stopwatch(replica.clock_ns)
    admission = admit(request, live, replica.monotonic_us())
    watch.lap("consent")
    facts = NOBODY
    counting = replica.rationing.asked(request, admission, live)
    if isinstance(admission, Consented):
        begun = replica.clock_ns()
        try:
            facts = Facts(user=await replica.people.known(admission))
            replica.dependencies.profile_read(begun, found=facts.user is not None)
        except Unavailable:
            replica.dependencies.hot_failed()
        facts = await replica.plugins.facts(request, live, facts, replica.now())

    def by(counts: Facts) -> Decision:
        return decide(
            request,
            joined(facts, counts),
            live,
            seeded(getrandbits(SEED_BITS)),
            replica.now(),
            admission=admission,
            replica=replica.config.replica,
            watch=watch,
        )

    if counting is None:
        return by(NOBODY)
    counts = await replica.rationing.facts(counting, request)
    return await replica.rationing.settle(by(counts), counting, request, live, again=by)


def store(replica: Replica, record: Decision) -> None:
    """Hand the record to the log; it is durable with the next group commit. A log that cannot take it does not stop
    decisions, but is counted, and shown."""
    begun = replica.clock_ns()
    try:
        replica.log.offer(
            Draft(kind="decision", at=record.at, payload=wire.encode(record), key=f"decision:{record.decision_id}")
        )
        replica.dependencies.records_taken.value += 1
    except Unavailable:
        replica.dependencies.record_lost()
    if isinstance(record.stage_us, dict):
        record.stage_us["log"] = (replica.clock_ns() - begun) // 1_000


def told(record: Decision) -> dict[str, Any]:
    """Return the answer of a decision."""
    scores, ranking = record.scores, record.ranking
    return {
        "decision_id": record.decision_id,
        "served_by": record.served_by,
        "reason": record.reason,
        "items": [
            {
                "item": item,
                "rank": slot + 1,
                "score": _score_at(scores, ranking, slot),
                "propensity": record.propensity[slot],
                "reasons": record.reasons[slot],
            }
            for slot, item in enumerate(record.items)
        ],
        "confidence": record.confidence,
        "policy": None if record.policy is None else {"key": record.policy, "version": record.version},
        "model": None if record.model is None else {"name": record.model, "version": record.model_version},
        "arms": record.arms,
        "revision": record.revision,
    }


def _explain(answer: dict[str, Any], record: Decision, live: Live) -> None:
    """Add to each item its reasons as sentences."""
    key = record.surface, record.policy, record.version
    said = live.plan.said.get(key)
    if said is None:
        said = live.plan.said[key] = words(live.snapshot, record, live.shelf)
    for item, sentences in zip(answer["items"], sentences_of(record, said), strict=True):
        item["sentences"] = sentences


def _score_at(scores: bytes, ranking: bytes, slot: int) -> float | None:
    if not scores:
        return None
    (score,) = _score(scores, 8 * _place(ranking, 2 * slot)[0])
    return score if isfinite(score) else None


def check(asked: DecisionBody, live: Live, *, rerank: bool) -> int:
    """See that the request fits the installation; return the number of slots.

    Raises
    ------
    Refused
        422, naming the field.
    """
    surface = fits(asked, live)
    if rerank and asked.candidates is None:
        raise _refused("candidates", "is required")
    searching.check_search(asked)
    return _slots(asked, surface, rerank=rerank)


def fits(asked: DecisionBody | ConfigBody, live: Live) -> Surface:
    """Return the surface that is asked for, if campaign and context fit it.

    Raises
    ------
    Refused
        422, naming the field.
    """
    surface = live.snapshot.installation.surfaces.get(asked.surface)
    if surface is None:
        raise _refused("surface", "is not a known surface")
    if asked.campaign is not None:
        campaign = live.snapshot.campaigns.get(asked.campaign)
        if campaign is None:
            raise _refused("campaign", "is not a known campaign")
        if asked.surface not in campaign.surfaces:
            raise _refused("campaign", "does not run on this surface")
    if asked.context:
        fitting(asked.context, surface.context)
    return surface


def _slots(asked: DecisionBody, surface: Surface, *, rerank: bool) -> int:
    if asked.slots is None:
        if rerank:  # every item of a caller's list comes back
            return max(1, min(len(asked.candidates or ()), MOST_SLOTS))
        return max(1, min(surface.default_slots, surface.max_slots))
    if asked.slots > surface.max_slots:
        raise _refused("slots", f"is above this surface's {surface.max_slots}")
    return asked.slots


def fitting(context: Mapping[str, Scalar], declared: Mapping[str, Attribute]) -> None:
    """Refuse a context that names what is not declared, or values of another kind. Raises ``Refused``."""
    problems = []
    for name, value in context.items():
        attribute = declared.get(name)
        if attribute is None:
            problems.append(Problem(field=f"context.{safe_name(name)}", message="is not declared for this surface"))
        elif type(value) not in _KINDS[attribute.type]:
            problems.append(Problem(field=f"context.{name}", message=f"must be {_SAID[attribute.type]}"))
    if not problems and (bad := bad_scalar(context, "context")):
        problems.append(bad)
    if problems:
        raise Refused(422, f"{problems[0].field}: {problems[0].message}", problems=problems)


def _refused(field: str, message: str) -> Refused:
    return Refused(422, f"{field}: {message}", problems=[Problem(field=field, message=message)])
