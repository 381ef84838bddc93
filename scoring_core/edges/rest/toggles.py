"""/v1/toggles, and the same by the OpenFeature Remote Evaluation Protocol: which value an app gets for one person."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from msgspec import Struct
from msgspec.json import Decoder
from starlette.requests import Request as Asked
from starlette.responses import JSONResponse

from scoring_core.circumstances import circumstances
from scoring_core.declared import declared
from scoring_core.edges.replica import Replica
from scoring_core.edges.rest.bodies import Key, Raw
from scoring_core.edges.rest.exchange import sent
from scoring_core.edges.rest.mistakes import strictly
from scoring_core.edges.rest.personalize import fitting
from scoring_core.edges.rest.problems import Refused
from scoring_core.features.profile import settled
from scoring_core.gate import Refusal, admit
from scoring_core.live import Live, Request
from scoring_core.toggles import Evaluation, evaluate
from storage.errors import Unavailable
from storage.records.access import Scope as May
from storage.records.consent import Consented
from storage.records.events import Scalar

EVERYWHERE = ""
"""The surface of an asking that names none."""
REASONS: Mapping[str, str] = {
    "force": "TARGETING_MATCH",
    "experiment": "SPLIT",
    "default": "DEFAULT",
    "disabled": "DISABLED",
    "prerequisite": "DEFAULT",
}
"""Why a value is what it is, as OpenFeature names it (specification, 2.1.3)."""


class ToggleBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of ``/v1/toggles``; without ``toggles`` all are told."""

    subject: Raw | None = None
    session: Raw | None = None
    campaign: Key | None = None
    context: dict[str, Scalar] = {}
    toggles: list[Key] | None = None


class OfrepBody(Struct, kw_only=True):
    """The body of OFREP: an open context, of which what is declared is read; ``targetingKey`` is the subject."""

    context: dict[str, Any] = {}


TOGGLES, OFREP = Decoder(ToggleBody), Decoder(OfrepBody)


async def told(replica: Replica, asked: Asked) -> dict[str, Any]:
    """Answer ``POST /v1/toggles``."""
    live = _admitted(replica, asked)
    body = strictly(TOGGLES, await sent(asked, replica.config.max_body))
    return await _answer(replica, live, body, gpc=_gpc(asked))


async def told_by_query(replica: Replica, asked: Asked) -> dict[str, Any]:
    """Answer ``GET /v1/toggles?subject=&session=&toggle=``, for who sends no context."""
    live, query = _admitted(replica, asked), asked.query_params
    body = ToggleBody(
        subject=query.get("subject"), session=query.get("session"), toggles=query.getlist("toggle") or None
    )
    return await _answer(replica, live, body, gpc=_gpc(asked))


async def ofrep_all(replica: Replica, asked: Asked) -> JSONResponse:
    """Answer ``POST /ofrep/v1/evaluate/flags``."""
    found, live = await _by_ofrep(replica, asked, None)
    tag = f'"{live.snapshot.revision}"'
    return JSONResponse({"flags": [_flag(key, one, live) for key, one in found.items()]}, headers={"etag": tag})


async def ofrep_one(replica: Replica, asked: Asked) -> JSONResponse:
    """Answer ``POST /ofrep/v1/evaluate/flags/{key}``."""
    key = asked.path_params["key"]
    found, live = await _by_ofrep(replica, asked, (key,))
    flag = _flag(key, found[key], live)
    return JSONResponse(flag, 404 if flag.get("errorCode") == "FLAG_NOT_FOUND" else 200)


def _admitted(replica: Replica, asked: Asked) -> Live:
    replica.door.admit(asked.headers.get("authorization", "").encode(), May.DECIDE)
    live = replica.follower.live
    if live is None:
        raise Refused(503, "This replica is not ready yet; try again.", reason="overload")
    return live


def _gpc(asked: Asked) -> bool:
    return asked.headers.get("sec-gpc", "").strip() == "1"


async def _answer(replica: Replica, live: Live, body: ToggleBody, *, gpc: bool) -> dict[str, Any]:
    if body.context:
        fitting(body.context, declared(live.snapshot.installation))
    found, reason = await _evaluated(replica, live, body, gpc=gpc)
    return {
        "revision": live.snapshot.revision,
        "personal": reason == "",
        "reason": reason or "ok",
        "toggles": {
            key: {
                "value": one.value,
                "on": one.on,
                "source": one.source,
                "rule": one.rule or None,
                "variation": one.variation,
            }
            for key, one in found.items()
        },
    }


async def _evaluated(replica: Replica, live: Live, body: ToggleBody, *, gpc: bool) -> tuple[dict[str, Evaluation], str]:
    """Evaluate; return also why nothing of the person was read, empty where it was.

    Whom the gate refuses is hashed by session alone, so that a share of people is never drawn from who said no.
    """
    subject = None
    if body.subject is not None:
        subject = replica.identities.cached(body.subject) or await replica.identities.pseudonym(body.subject)
    request = Request(
        decision_id=replica.new_id(),
        subject=subject,
        session=None if body.session is None else replica.session_key(body.session),
        sequence=0,
        surface=EVERYWHERE,
        campaign=body.campaign,
        slots=0,
        context=body.context,
        candidates=None,
        gpc=gpc,
    )
    if gpc:
        replica.objected({} if body.subject is None else {body.subject: subject})
    toggles, now = live.plan.toggles, replica.now()
    admission = admit(request, live, replica.monotonic_us())
    agreed = admission if isinstance(admission, Consented) else None
    user = None
    if agreed is not None and toggles.asked.person:
        reads = toggles.asked.reads | (
            live.plan.segmentation.reads if "segments" in toggles.asked.computed else frozenset()
        )
        try:
            user = settled(await replica.people.known(agreed), now, reads=reads)
        except Unavailable:
            replica.dependencies.hot_failed()
    asking = circumstances(request, user, {}, now, plan=replace(live.plan, asked=toggles.asked), shelf=live.shelf)
    ids = {"subject": None if agreed is None else agreed.subject, "session": request.session}
    wanted: Iterable[str] = toggles.planned if body.toggles is None else body.toggles
    found = {key: evaluate(key, toggles, asking, ids=ids, now=now) for key in wanted}
    return found, admission.reason if isinstance(admission, Refusal) else ""


async def _by_ofrep(replica: Replica, asked: Asked, keys: tuple[str, ...] | None) -> tuple[dict[str, Evaluation], Live]:
    live = _admitted(replica, asked)
    body = strictly(OFREP, await sent(asked, replica.config.max_body))
    known, subject = declared(live.snapshot.installation), body.context.get("targetingKey")
    session = body.context.get("session")
    wanted = ToggleBody(
        subject=subject if isinstance(subject, str) and 0 < len(subject) <= 256 else None,
        session=session if isinstance(session, str) and 0 < len(session) <= 256 else None,
        context={
            name: value
            for name, value in body.context.items()
            if name in known and "." not in name and isinstance(value, str | int | float)
        },
        toggles=None if keys is None else list(keys),
    )
    found, _reason = await _evaluated(replica, live, wanted, gpc=_gpc(asked))
    return found, live


def _flag(key: str, one: Evaluation, live: Live) -> dict[str, Any]:
    """Return one flag as OFREP tells it; a value that is withheld is left out, so that the app's own default serves."""
    if one.source not in REASONS:
        code = "FLAG_NOT_FOUND" if one.source == "unknown" else "GENERAL"
        said = "no such toggle" if one.source == "unknown" else "its prerequisites go in a circle"
        return {"key": key, "errorCode": code, "errorDetails": said}
    flag = {
        "key": key,
        "reason": REASONS[one.source],
        "metadata": {"revision": live.snapshot.revision, "rule": one.rule or one.source},
    }
    if one.variation is not None:
        flag["variant"] = str(one.variation)
    return flag if one.value is None else flag | {"value": one.value}
