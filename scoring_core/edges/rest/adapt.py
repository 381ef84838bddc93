"""POST /v1/personalization/config: the app's configuration for one person, and which rule set what."""

from typing import Any

import msgspec
from starlette.types import Receive, Send

from scoring_core.adapt import NO_SLOTS, adapt
from scoring_core.edges.replica import Replica
from scoring_core.edges.rest.bodies import CONFIG
from scoring_core.edges.rest.exchange import Headers, answer_well, read_body
from scoring_core.edges.rest.mistakes import strictly
from scoring_core.edges.rest.personalize import fits, store
from scoring_core.edges.rest.problems import Refused
from scoring_core.gate import admit
from scoring_core.live import Facts, Live, Request
from scoring_core.reasons import Words, words
from scoring_core.stages import Stopwatch
from storage.errors import Unavailable
from storage.records.access import Scope as May
from storage.records.consent import Consented
from storage.records.decisions import Decision

_encode = msgspec.json.Encoder().encode


async def configure(replica: Replica, headers: Headers, receive: Receive, send: Send) -> int:
    """Answer the route; return the size of the body."""
    principal = replica.door.admit(headers.authorization, May.DECIDE)
    body = await read_body(headers, receive, replica.config.max_body)
    asked = strictly(CONFIG, body)
    live = replica.follower.live
    if live is None:
        raise Refused(503, "This replica is not ready yet; try again.", reason="overload")
    fits(asked, live)
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
        slots=NO_SLOTS,
        context=asked.context,
        candidates=None,
        gpc=headers.gpc,
        origin="simulated" if principal.may(May.SIMULATE) else "live",
    )
    record = await _adapted(replica, request, live)
    if headers.gpc:
        people = {} if asked.subject is None else {asked.subject: subject}
        replica.objected(people, honoured=record.served_by == "default")
    store(replica, record)
    await answer_well(send, headers, _encode(told(record, words(live.snapshot, record))))
    return len(body)


async def _adapted(replica: Replica, request: Request, live: Live) -> Decision:
    watch = Stopwatch(replica.clock_ns)
    admission = admit(request, live, replica.monotonic_us())
    watch.lap("consent")
    facts = Facts()
    if isinstance(admission, Consented):
        try:
            facts = Facts(user=await replica.people.known(admission))
        except Unavailable:
            replica.dependencies.hot_failed()
        facts = await replica.plugins.facts(request, live, facts, replica.now())
    return adapt(request, facts, live, replica.now(), admission=admission, replica=replica.config.replica, watch=watch)


def told(record: Decision, said: Words) -> dict[str, Any]:
    """Return the answer: the configuration, and of each setting that a rule changed which rule, and why."""
    return {
        "decision_id": record.decision_id,
        "served_by": record.served_by,
        "reason": record.reason,
        "config": record.settings,
        "set_by": {
            name: {"rule": codes[0].partition(":")[2], "reason": said.sentence(codes[0])}
            for name, codes in zip(sorted(record.settings), record.reasons, strict=True)
            if codes[0].startswith("rule:")
        },
        "policy": None if record.policy is None else {"key": record.policy, "version": record.version},
        "arms": record.arms,
        "revision": record.revision,
    }
