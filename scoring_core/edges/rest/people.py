"""/v1/user/…: what is known of a person, what they state, whom a visitor turned out to be."""

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np
from starlette.requests import Request as Asked
from starlette.responses import JSONResponse

from scoring_core.edges.replica import Replica
from scoring_core.edges.rest import histories
from scoring_core.edges.rest.bodies import FEEDBACK, IDENTITY, PROFILE, QUIZ, DecisionBody, EventBody, ProfileBody
from scoring_core.edges.rest.events import one, take
from scoring_core.edges.rest.exchange import sent
from scoring_core.edges.rest.mistakes import strictly
from scoring_core.edges.rest.personalize import answered
from scoring_core.edges.rest.problems import Refused
from scoring_core.features.interests import token
from scoring_core.features.profile import PARTS, interests, settled
from scoring_core.features.segments import segments
from scoring_core.features.statements import edited, quizzed
from scoring_core.gate import Refusal, admit
from scoring_core.live import Live, Request
from storage.errors import FairleadError, Invalid, Problem
from storage.records.access import Scope as May
from storage.records.clock import SECOND, iso
from storage.records.decisions import VECTOR_DTYPE
from storage.records.events import Scalar
from storage.records.subjects import COUNTERS, RECENT_DTYPE, ROLES, UserState

MOST_SLOTS = 1_000


async def profile(replica: Replica, asked: Asked) -> dict[str, Any]:
    """Return what a person stated and, where they agreed, what was learned of them."""
    live, subject = await _whom(replica, asked, May.DECISION_READ)
    return await _told(replica, asked, live, subject)


async def prefer(replica: Replica, asked: Asked) -> dict[str, Any]:
    """Take what a person states; what is not named stays, null takes one back."""
    body = await _body(replica, asked, PROFILE, May.EVENTS_WRITE)
    live, subject = await _whom(replica, asked, May.EVENTS_WRITE, body.subject)
    await _edit(replica, live, subject, body)
    return await _told(replica, asked, live, subject)


async def rank(replica: Replica, asked: Asked) -> dict[str, Any]:
    """Return a person's interests, strongest first."""
    live, subject = await _whom(replica, asked, May.DECISION_READ)
    told = await _told(replica, asked, live, subject)
    return {"interests": told["interests"], "learned_from": told["learned_from"]}


async def quiz(replica: Replica, asked: Asked) -> dict[str, Any]:
    """Return the answers that the style quiz knows, and the interests that each speaks of."""
    replica.door.admit(_authorization(asked), May.DECIDE)
    return {"answers": {name: dict(told) for name, told in _live(replica).snapshot.installation.quiz.items()}}


async def answer_quiz(replica: Replica, asked: Asked) -> dict[str, Any]:
    """Take the answers of the style quiz."""
    body = await _body(replica, asked, QUIZ, May.EVENTS_WRITE)
    live, subject = await _whom(replica, asked, May.EVENTS_WRITE, body.subject)
    installation = live.snapshot.installation
    await _changed(
        replica.people.edit(
            subject, lambda known: quizzed(known, body.answers, installation=installation, now=replica.now())
        )
    )
    return await _told(replica, asked, live, subject)


async def identify(replica: Replica, asked: Asked) -> dict[str, Any]:
    """Let what is known of a visitor join the account that they logged in to; only where both allow profiling."""
    body = await _body(replica, asked, IDENTITY, May.EVENTS_WRITE)
    live, account = await _whom(replica, asked, May.EVENTS_WRITE, body.account)
    visitor = await _pseudonym(replica, body.visitor)
    if _objects(asked):
        replica.objections.note(body.visitor, visitor)
    if not live.consent.lease_holds(replica.monotonic_us()):
        raise Refused(503, "Nobody can say right now what these people agreed to; try again.", reason="overload")
    if not (live.consent.flags(visitor).profiling and live.consent.flags(account).profiling):
        return {"joined": False, "reason": "no_consent"}
    moved = await _changed(replica.people.identify(visitor, account))
    if visitor != account:
        await replica.rationing.join(visitor, account)
    return {"joined": True, "reason": "ok" if moved else "nothing_known"}


async def feedback(replica: Replica, asked: Asked) -> JSONResponse:
    """Take a rating, or another event by which a person says what they think of an item."""
    body = await _body(replica, asked, FEEDBACK, May.EVENTS_WRITE)
    principal = replica.door.admit(_authorization(asked), May.EVENTS_WRITE)
    told = {name: getattr(body, name) for name in body.__struct_fields__}
    return JSONResponse(one(await take(replica, principal, [EventBody(**told)], gpc=_objects(asked))), 202)


async def recommend(replica: Replica, asked: Asked) -> dict[str, Any]:
    """Decide as ``/v1/personalize`` does, asked by GET."""
    principal = replica.door.admit(_authorization(asked), May.DECIDE)
    started, parameters = replica.clock_ns(), asked.query_params
    slots = parameters.get("slots", "")
    if slots and not (slots.isdecimal() and 1 <= int(slots[:5]) <= MOST_SLOTS):
        raise _wrong("slots", f"must be a whole number from 1 to {MOST_SLOTS}")
    record, made = await answered(
        replica,
        principal,
        DecisionBody(
            surface=_parameter(asked, "surface"),
            subject=_parameter(asked, "subject"),
            campaign=parameters.get("campaign"),
            slots=int(slots) if slots else None,
            context=_region(asked, _live(replica)),
            explain=True,
        ),
        gpc=_objects(asked),
    )
    replica.tally.decided(record, (replica.clock_ns() - started) * 1e-9)
    return made


async def evolution(replica: Replica, asked: Asked) -> dict[str, Any]:
    """Return how a person's interests came about, day by day."""
    live, subject = await _whom(replica, asked, May.DECISION_READ)
    return await asyncio.to_thread(histories.evolution, replica, live, subject, _agreed(replica, asked, live, subject))


async def interactions(replica: Replica, asked: Asked) -> dict[str, Any]:
    """Return what a person did, the latest first, and what stands on their wishlist."""
    live, subject = await _whom(replica, asked, May.DECISION_READ)
    return await asyncio.to_thread(histories.interactions, replica, live, subject)


async def recompute(replica: Replica, asked: Asked) -> dict[str, Any]:
    """Learn a person anew from the log, by the settings that hold now."""
    live, subject = await _whom(replica, asked, May.EVENTS_WRITE)
    count = await histories.recompute(replica, live, subject)
    return await _told(replica, asked, live, subject) | {"recomputed_from": count}


def described(user: UserState, live: Live, now: int) -> dict[str, Any]:
    """Return what was learned of a person as they read it: counters, sessions, segments, what was touched lately."""
    counts = np.frombuffer(user.counts, VECTOR_DTYPE).tolist()
    items = live.shelf.catalogue.items
    recent = np.frombuffer(user.recent, RECENT_DTYPE)[::-1].tolist()
    return {
        "events": user.events,
        "first_seen": iso(user.first_at) if user.first_at else None,
        "counted": {name: round(count, 3) for name, count in zip(COUNTERS, counts, strict=False) if count},
        "login_level": user.attributes.get("login_level"),
        "segments": dict(segments(user, now, live.plan.segmentation)),
        "recent": [
            {
                "item": items[item].item_id,
                "did": [name for name, bit in ROLES.items() if roles & bit],
                "at": iso(at * SECOND),
            }
            for item, roles, at in recent
            if item < len(items)
        ],
    }


async def _told(replica: Replica, asked: Asked, live: Live, subject: str) -> dict[str, Any]:
    said = await _changed(replica.people.stated(subject))
    admission = _agreed(replica, asked, live, subject)
    now, user = replica.now(), None
    if not isinstance(admission, Refusal):
        user = settled(await _changed(replica.people.known(admission)), now, reads=frozenset(PARTS))
    names = {**live.shelf.tokens.names, **{token(name): name for name in said.interests}}
    liked = [
        {
            "interest": each.name,
            "score": round(each.score, 6),
            "confidence": round(each.confidence, 6),
            "source": each.source,
            "evidence": each.evidence,
            "since": iso(each.since),
        }
        for each in (interests(user, names) if user is not None else ())
        if each.name is not None
    ]
    return {
        "stated": {
            "attributes": _spread(live, said.attributes),
            "interests": {
                name: {"value": each.value, "source": each.source, "since": iso(each.at)}
                for name, each in said.interests.items()
            },
        },
        "learned": None if user is None else described(user, live, now),
        "learned_from": admission.reason if isinstance(admission, Refusal) else "ok",
        "interests": liked,
    }


def _spread(live: Live, attributes: Mapping[str, Any]) -> dict[str, Any]:
    declared = live.snapshot.installation.attributes
    lists = {name for name, attribute in declared.items() if attribute.type == "list"}
    return {name: value.split("|") if name in lists else value for name, value in attributes.items()}


async def _edit(replica: Replica, live: Live, subject: str, body: ProfileBody) -> None:
    installation = live.snapshot.installation
    await _changed(
        replica.people.edit(
            subject,
            lambda known: edited(
                known,
                attributes=body.attributes,
                interests=body.interests,
                installation=installation,
                now=replica.now(),
            ),
        )
    )


async def _changed(work: Any) -> Any:
    """Wait for the database and the store; say what they refuse."""
    try:
        return await work
    except Invalid as error:
        raise Refused(422, str(error), problems=error.problems) from None
    except FairleadError as error:
        raise Refused(503, str(error), code=error.code, reason="overload") from None


def _agreed(replica: Replica, asked: Asked, live: Live, subject: str) -> Any:
    """Ask the gate, as a decision does."""
    question = Request(
        decision_id="",
        subject=subject,
        session=None,
        sequence=0,
        surface="",
        campaign=None,
        slots=0,
        context=_region(asked, live),
        candidates=None,
        gpc=_objects(asked),
    )
    return admit(question, live, replica.monotonic_us())


async def _whom(replica: Replica, asked: Asked, scope: May, raw: str | None = None) -> tuple[Live, str]:
    replica.door.admit(_authorization(asked), scope)
    live = _live(replica)
    named: str = asked.path_params.get("subject") or raw or _parameter(asked, "subject")
    found = await _pseudonym(replica, named)
    if _objects(asked):
        replica.objected({named: found})
    return live, found


async def _pseudonym(replica: Replica, raw: str) -> str:
    found = await replica.identities.pseudonym(raw)
    if found is None:
        raise Refused(503, "The database does not answer; try again.", reason="overload")
    return found


def _live(replica: Replica) -> Live:
    live = replica.follower.live
    if live is None:
        raise Refused(503, "This replica is not ready yet; try again.", reason="overload")
    return live


async def _body(replica: Replica, asked: Asked, decoder: Any, scope: May) -> Any:
    replica.door.admit(_authorization(asked), scope)
    return strictly(decoder, await sent(asked, replica.config.max_body))


def _parameter(asked: Asked, name: str) -> str:
    value: str = asked.path_params.get(name) or asked.query_params.get(name, "")
    if not 1 <= len(value) <= 256:
        raise _wrong(name, "is required, with at most 256 characters")
    return value


def _authorization(asked: Asked) -> bytes:
    return asked.headers.get("authorization", "").encode("latin-1")


def _region(asked: Asked, live: Live) -> dict[str, Scalar]:
    """Return where the person is, as the caller tells it in the query; empty where nobody asks or says."""
    name = live.snapshot.installation.region_from
    told = asked.query_params.get(name, "") if name else ""
    return {name: told} if told else {}


def _objects(asked: Asked) -> bool:
    return asked.headers.get("sec-gpc", "").strip() == "1"


def _wrong(field: str, message: str) -> Refused:
    return Refused(422, f"{field}: {message}", problems=[Problem(field=field, message=message)])
