"""The routes of a person's own page."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.api.context import ControlContext
from governance.api.engines import Engines
from governance.api.gate import request_id
from governance.api.own_page import rendering
from governance.api.own_page.forms import KEY, Form, form_of
from governance.api.own_page.sentences import DONE, SOON, plain
from governance.own.likes import WORDS
from governance.own.page import RATED, OwnPage
from governance.own.person import Person
from governance.portability import Exporting
from storage import links
from storage.errors import FairleadError, Forbidden, Invalid, NotFound, Problem, Unauthenticated
from storage.links import Visit
from storage.records.clock import SECOND
from storage.records.consent import Purpose

COOKIE: Final = "fairlead_me"
HOME: Final = "/me"
LESS: Final = "less"
_FETCHED_AHEAD: Final = ("prefetch", "prerender")
_HERE: Final = frozenset({"", "same-origin", "none"})

Answer = Callable[[Request, Form], Response]
Act = Callable[[Person, Form], str]


class OwnPages:
    """The page's handlers.

    Parameters
    ----------
    context
        The parts of the control API.
    """

    def __init__(self, context: ControlContext) -> None:
        self._context = context
        self._visits = context.control.visits
        engines = Engines(context.database, context.page_token, context.client)
        self._page = OwnPage(
            control=context.control,
            database=context.database,
            lake=context.lake,
            exporting=Exporting(
                database=context.database,
                lake=context.lake,
                home=context.home,
                keys=context.keys,
                control=context.control,
                now=context.control.now,
            ),
            profile=lambda raw: engines.ask(f"/v1/user/profile?subject={quote(raw, safe='')}"),
            rate=lambda event: engines.tell("/v1/user/feedback", event),
        )

    def routes(self) -> list[Route]:
        """Return the routes, each with who may use it: by the link, by the open page, or anybody."""
        acts: Mapping[str, Act] = {
            "consent/on": lambda person, form: self._allow(person, form, on=True),
            "consent/off": lambda person, form: self._allow(person, form, on=False),
            "object": self._object,
            "interests": self._interests,
            "feedback": self._feedback,
            "review": self._review,
            "delete": self._delete,
            "delete/back": self._take_back,
        }
        return [
            Route(f"{HOME}/style.css", lambda _request: rendering.style(), methods=["GET"]),
            Route(f"{HOME}/open/{{token}}", self._served(self._open), methods=["GET"]),
            Route(f"{HOME}/receipt/{{number}}", self._served(self._receipt), methods=["GET"]),
            Route(HOME, self._served(self._show), methods=["GET"]),
            Route(f"{HOME}/leave", self._served(self._leave), methods=["POST"]),
            Route(f"{HOME}/data", self._served(self._data), methods=["POST"]),
            *[Route(f"{HOME}/{path}", self._served(self._doing(act)), methods=["POST"]) for path, act in acts.items()],
        ]

    @staticmethod
    def _served(answer: Answer) -> Any:
        async def serve(request: Request) -> Response:
            try:
                form = await form_of(request) if request.method == "POST" else Form({})
                return await run_in_threadpool(answer, request, form)
            except FairleadError as error:
                again = isinstance(error, Unauthenticated)
                return rendering.page("refused.html", status=error.status, said=plain(error), again=again)

        return serve

    def _visit(self, request: Request, form: Form) -> Visit:
        """Return whose page is open; of a form also that it came from there."""
        visit = self._visits.of(request.cookies.get(COOKIE, ""))
        if request.method == "POST":
            if request.headers.get("sec-fetch-site", "") not in _HERE:
                raise Forbidden("this came from another site; it was not done")
            self._visits.require_form(visit, form.get(KEY))
        return visit

    def _person(self, request: Request, form: Form) -> Person:
        return self._page.person(self._visit(request, form).subject, request_id(request))

    def _doing(self, act: Act) -> Answer:
        def done(request: Request, form: Form) -> Response:
            code = act(self._person(request, form), form)
            section = DONE[code.removesuffix(SOON)][0]
            return RedirectResponse(f"{HOME}?done={code}#{section}", status_code=303, headers=rendering.HEADERS)

        return done

    def _open(self, request: Request, _form: Form) -> Response:
        """Open the page, unless a browser or a scanner only looks ahead: each link opens once."""
        ahead = request.headers.get("sec-purpose", request.headers.get("purpose", ""))
        if request.method == "HEAD" or any(word in ahead for word in _FETCHED_AHEAD):
            return Response(status_code=204, headers=rendering.HEADERS)
        shown = self._visits.open(request.path_params["token"], request_id=request_id(request))
        answer = RedirectResponse(HOME, status_code=303, headers=rendering.HEADERS)
        answer.set_cookie(
            COOKIE,
            shown,
            max_age=links.STAYS // SECOND,
            path=HOME,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    def _show(self, request: Request, form: Form) -> Response:
        visit = self._visit(request, form)
        code = request.query_params.get("done", "")
        said = DONE.get(code.removesuffix(SOON))
        return rendering.page(
            "page.html",
            view=self._page.view(self._page.person(visit.subject, request_id(request))),
            key=self._visits.form_key(visit),
            until=visit.until,
            words=tuple(WORDS),
            notice="" if said is None else said[1],
            soon=code.endswith(SOON),
        )

    def _leave(self, request: Request, form: Form) -> Response:
        self._visits.close(self._visit(request, form), request_id=request_id(request))
        answer = rendering.page("left.html")
        answer.delete_cookie(COOKIE, path=HOME)
        return answer

    def _data(self, request: Request, form: Form) -> Response:
        person = self._person(request, form)
        name, whole = self._page.asked.data(person, self._page.interests(person))
        headers = {**rendering.HEADERS, "content-disposition": f'attachment; filename="{name}"'}
        return Response(whole, media_type="application/zip", headers=headers)

    def _receipt(self, request: Request, _form: Form) -> Response:
        found = self._page.asked.receipt(request.path_params["number"])
        if request.query_params.get("as") != "json":
            return rendering.page("receipt.html", request=found)
        if found.receipt is None:
            raise NotFound("this was not answered yet; its receipt is made when it is")
        told = {"receipt": found.receipt, "public_key": self._context.keys.public_pem.decode()}
        headers = {
            **rendering.HEADERS,
            "content-disposition": f'attachment; filename="receipt-{found.request_id}.json"',
        }
        whole = orjson.dumps(told, option=orjson.OPT_INDENT_2)
        return Response(whole, media_type="application/json", headers=headers)

    def _allow(self, person: Person, form: Form, *, on: bool) -> str:
        try:
            purpose = Purpose(form.one("purpose"))
        except ValueError:
            problem = Problem(field="purpose", message="is none of those on the page")
            raise Invalid("purpose: is none of those on the page", problems=(problem,)) from None
        whole = self._page.allow(person, purpose, on=on, text_version=form.get("version"))
        return _code(f"{'on' if on else 'off'}", whole=whole)

    def _object(self, person: Person, _form: Form) -> str:
        return _code("objected", whole=self._page.object_to_marketing(person))

    def _interests(self, person: Person, form: Form) -> str:
        moves: Mapping[str, Callable[[Person, str], bool]] = {
            "up": self._page.move_up,
            "aside": self._page.set_aside,
            "again": self._page.learn_again,
        }
        for name, move in moves.items():
            if form.get(name):
                return _code(name, whole=move(person, form.get(name)))
        return _code("interests", whole=self._page.reword(person, form.pairs("name", "word")))

    def _feedback(self, person: Person, form: Form) -> str:
        decision, item, word = form.one("decision"), form.one("item"), form.one("word")
        if word == LESS:
            return _code(LESS, whole=self._page.show_less(person, decision, item))
        if word not in RATED:
            raise Invalid("word: is none of those on the page")
        self._page.rate(person, decision, item, word)
        return "thanks"

    def _review(self, person: Person, form: Form) -> str:
        self._context.control.reviews.ask(person.raw, form.get("said").strip(), form.get("decision"), person.warrant)
        return "review"

    def _delete(self, person: Person, form: Form) -> str:
        if form.get("sure") != "yes":
            raise Invalid("tick the box that says that you are sure, then ask again")
        self._page.asked.deletion(person)
        return "delete"

    def _take_back(self, person: Person, _form: Form) -> str:
        self._page.asked.take_back(person)
        return "back"


def _code(name: str, *, whole: bool) -> str:
    """Return how the page is told what was done: at once everywhere, or within seconds."""
    return name if whole else name + SOON
