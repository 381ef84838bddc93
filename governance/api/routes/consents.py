"""Consent: who may be addressed for what, told by raw id, kept by pseudonym."""

from fastapi import APIRouter, Request, Response

from governance.api.answers import caller, reply, shown, warrant
from governance.api.bodies import SubjectQuery
from governance.api.consent_bodies import CheckQuery, ConsentFile, ConsentOrder, StateQuery
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.outcomes import Recorded
from storage import consent, consent_probes
from storage.records.access import Scope
from storage.records.clock import DAY, now
from storage.records.consent import ConsentChange
from storage.records.findings import Job
from storage.signed import fingerprint


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control
    consents = control.consents

    @on.on("GET", "/consents/summary", Scope.READ)
    def summary(request: Request) -> Response:
        """Count what people said last, by purpose; counts below 50 are null for who may not look people up."""
        with context.database.read() as read:
            epoch, counts = consent.epoch(read), consent.summary(read)
        every = caller(request).may(Scope.CONSENT_READ)
        purposes = {
            purpose: {state: shown(count, every=every) for state, count in states.items()}
            for purpose, states in counts.items()
        }
        return reply({"epoch": epoch, "purposes": purposes})

    @on.on("POST", "/consents/opt-out", Scope.CONSENT_WRITE, answer=Recorded)
    def opt_out(request: Request, body: ConsentOrder) -> Response:
        """Withdraw consent; answers when every replica decides without it, or after 2.5 s, with a signed receipt."""
        order = warrant(request, body.reason)
        text = body.text_version
        return reply(
            consents.record(body.subject, body.purpose, "denied", order, source=body.source, text_version=text)
        )

    @on.on("POST", "/consents/opt-in", Scope.CONSENT_WRITE, answer=Recorded)
    def opt_in(request: Request, body: ConsentOrder) -> Response:
        """Record consent; answers likewise."""
        order = warrant(request, body.reason)
        text = body.text_version
        return reply(
            consents.record(body.subject, body.purpose, "granted", order, source=body.source, text_version=text)
        )

    @on.on("POST", "/consents/history", Scope.CONSENT_READ)
    def history(request: Request, body: SubjectQuery) -> Response:
        """Look one person up; the look-up is in the ledger."""
        found: list[ConsentChange] = control.consent_history(body.subject, warrant(request, body.reason))
        return reply({"changes": found})

    @on.on("POST", "/consents/receipts", Scope.CONSENT_READ)
    def receipts(request: Request, body: SubjectQuery) -> Response:
        """Return the signed receipts of all that a person said; the look-up is in the ledger."""
        return reply({"receipts": consents.receipts(body.subject, warrant(request, body.reason))})

    @on.on("POST", "/consents/state", Scope.CONSENT_READ)
    def state(request: Request, body: StateQuery) -> Response:
        """Tell what holds for a person, purpose by purpose; the look-up is in the ledger."""
        return reply({"purposes": consents.state(body.subject, body.region, warrant(request, body.reason))})

    @on.on("POST", "/consents/check", Scope.CONSENT_READ)
    def check(request: Request, body: CheckQuery) -> Response:
        """Tell which of many people may be addressed for a purpose; one entry of the ledger for all."""
        order = warrant(request, body.reason)
        return reply({"allowed": consents.allowed(body.subjects, body.purpose, body.region, order)})

    @on.on("POST", "/consents/import", Scope.CONSENT_WRITE, status=202, answer=Job)
    def take_file(request: Request, body: ConsentFile) -> Response:
        """Take a CSV file of statements; a job reads it."""
        order = warrant(request, body.reason)
        return reply(control.consent_files.ask(context.home, body.csv, order, source=body.source), status=202)

    @on.on("GET", "/consents/probe", Scope.READ)
    def probe() -> Response:
        """Show what the probe saw in the last day, and every violation that was ever found."""
        with context.database.read() as read:
            since = now() - DAY
            return reply(
                {
                    "since": since,
                    "results": consent_probes.counted(read, since=since),
                    "withdrawals": consent_probes.probes(read, since=since, kind="withdrawal", limit=100),
                    "latest": consent_probes.probes(read, since=since, kind="standing", limit=100),
                    "totals": consent_probes.totals(read),
                    "violations": consent_probes.violations(read),
                }
            )

    @on.on("GET", "/consents/key", Scope.READ)
    def key() -> Response:
        """Return the public key that checks receipts."""
        pem = context.keys.public_pem
        return reply({"key": fingerprint(pem), "public_pem": pem.decode()})

    return on.router
