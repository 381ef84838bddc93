"""Where consent comes from: published wordings, and the consent platforms whose messages are understood."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response

from governance.actions import found
from governance.api.answers import caller, reply, shown, warrant
from governance.api.bodies import Why
from governance.api.consent_bodies import NewWording, PlatformOrder
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.consent_texts import key_of
from governance.outcomes import Outcome
from governance.platforms import platform_etag, read_message, source_of
from storage import consent, consent_texts, platforms
from storage.records.access import Scope


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/consents/texts", Scope.READ)
    def texts(request: Request) -> Response:
        """List the published wordings and how many people's last word is a yes to each; below 50 that is null for who
        may not look people up."""
        every = caller(request).may(Scope.CONSENT_READ)
        with context.database.read() as read:
            listed, answered = consent_texts.listed(read), consent.wordings(read)
        rows = [
            {
                **{name: getattr(text, name) for name in text.__dataclass_fields__},
                "granted": shown(answered.get((text.purpose.value, text.version), 0), every=every),
            }
            for text in listed
        ]
        known = {(text.purpose.value, text.version) for text in listed}
        elsewhere = sum(count for asked, count in answered.items() if asked not in known)
        return reply({"texts": rows, "granted_to_unknown_wordings": shown(elsewhere, every=every)})

    @on.on("POST", "/consents/texts", Scope.CONSENT_WRITE, status=201, answer=Outcome)
    def publish(request: Request, body: NewWording) -> Response:
        """Publish a wording under a version; it never changes."""
        payload = {name: getattr(body, name) for name in ("purpose", "version", "body", "language")}
        key = key_of(body.purpose, body.version)
        return reply(control.do("consent_text.publish", key, payload, warrant(request, body.reason)), status=201)

    @on.on("GET", "/consents/platforms", Scope.READ)
    def listed() -> Response:
        """List the declared consent platforms."""
        with context.database.read() as read:
            return reply({"platforms": platforms.declared(read)})

    @on.on("GET", "/consents/platforms/{name}", Scope.READ)
    def show(name: str) -> Response:
        """Show one."""
        with context.database.read() as read:
            platform = found(platforms.declared(read).get(name), "consent platform")
            etag = platform_etag(read, name)
        return reply({"name": name, "platform": platform, "etag": etag}, etag=etag)

    @on.on("PUT", "/consents/platforms/{name}", Scope.ADMIN, answer=Outcome)
    def declare(request: Request, name: str, body: PlatformOrder) -> Response:
        """Declare a platform, or change it."""
        order = warrant(request, body.reason, body.confirm)
        return reply(control.do("consent_platform.declare", name, {"platform": body.platform}, order))

    @on.on("DELETE", "/consents/platforms/{name}", Scope.ADMIN, answer=Outcome)
    def remove(request: Request, name: str, body: Why) -> Response:
        """Remove a platform; what it told stays."""
        return reply(control.do("consent_platform.remove", name, {}, warrant(request, body.reason, body.confirm)))

    @on.on("POST", "/consents/platforms/{name}/messages", Scope.CONSENT_WRITE)
    def message(request: Request, name: str, body: Annotated[dict[str, Any], Body()]) -> Response:
        """Take a platform's message: the whole of it or nothing; sending it again changes nothing."""
        with context.database.read() as read:
            platform = found(platforms.declared(read).get(name), "consent platform")
        told = read_message(platform, body, now=control.now())
        order = warrant(request, f"a message of the consent platform {name}")
        taken = control.consents.take(told.statements, order, source=source_of(name))
        return reply({"taken": taken, "unmapped": told.unmapped, "acknowledged": _acknowledged(taken)})

    def _acknowledged(taken: Any) -> Any:
        return control.consents.acknowledge(taken.epoch) if taken.granted + taken.denied else None

    return on.router
