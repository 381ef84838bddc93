"""A subject that has opted out and keeps asking: what every replica answers it is what a person would see."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

from governance.acknowledgement import REGISTERED_WITHIN
from governance.consent import Consents
from governance.warrants import Warrant, system
from storage import consent_probes, receipts, revisions
from storage.consent import PROBE
from storage.database import Database
from storage.records.changes import Receipt
from storage.records.clock import HOUR
from storage.records.consent import ConsentProbe, ConsentViolation, ProbeKind, Purpose

STANDING, WITHDRAWN = "fairlead-probe-standing", "fairlead-probe-withdrawal"
"""The probe's own subjects: one opted out long ago, one opts in and out again."""
WITHDRAW_EVERY_US = HOUR
PATIENCE_S = 5.0
ASK_EVERY_S = 0.02
ALIVE_AGAIN_S = 5.0
"""How long the probe waits, before it opts out, to be personalized somewhere: else an opt-out shows nothing."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What one replica answered: whether anything but the default experience, why, which decision."""

    personalized: bool | None
    reason: str = ""
    decision_id: str = ""
    asked_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Asks as who has opted out.

    Parameters
    ----------
    database, consents
        Where replicas report, and what records the probe's own consent.
    token
        What engines are shown; its traffic is marked as simulated.
    client
        How they are reached.
    now, monotonic
        The wall clock in microseconds, and the one that durations go by in seconds.
    """

    database: Database
    consents: Consents
    token: str = field(repr=False)
    now: Callable[[], int]
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=PATIENCE_S, trust_env=False))
    monotonic: Callable[[], float] = time.monotonic

    def look(self) -> list[ConsentViolation]:
        """Ask every replica as who opted out long ago and, once an hour, as who does so now; keep what they answer and
        return the violations. Where no policy serves there is nothing to ask for."""
        with self.database.read() as read:
            snapshot = revisions.load(read)
            replicas = receipts.registered(read, self.now(), REGISTERED_WITHIN)
            last = consent_probes.probes(read, kind="withdrawal", limit=1)
        surfaces = sorted(state.surface for state in snapshot.policies.values()) if snapshot else []
        if not surfaces or not replicas:
            return []
        probes, told = self._standing(replicas, surfaces[0])
        if not last or self.now() - last[0].at >= WITHDRAW_EVERY_US:
            more, also = self._withdrawal(replicas, surfaces[0])
            probes, told = [*probes, *more], [*told, *also]
        with self.database.write() as write:
            consent_probes.note(write, probes, now=self.now())
            return consent_probes.found(write, told)

    def _standing(self, replicas: Sequence[Receipt], surface: str) -> tuple[list[ConsentProbe], list[ConsentViolation]]:
        warrant = Warrant(by=system("consent-probe"), reason="the probe has opted out for good")
        said = self.consents.own(STANDING).get(Purpose.PERSONALIZATION)
        if said is not None and said.state == "denied":
            epoch = said.epoch
        else:
            epoch = self.consents.record(STANDING, Purpose.PERSONALIZATION, "denied", warrant, source=PROBE).epoch
        return self._judged(replicas, "standing", self._each(replicas, surface, STANDING), epoch, {})

    def _withdrawal(
        self, replicas: Sequence[Receipt], surface: str
    ) -> tuple[list[ConsentProbe], list[ConsentViolation]]:
        """Opt in, opt out, and measure from the call how soon each replica leaves the probe alone."""
        warrant = Warrant(by=system("consent-probe"), reason="measuring how soon an opt-out holds everywhere")
        self.consents.record(WITHDRAWN, Purpose.PERSONALIZATION, "granted", warrant, source=PROBE)
        measurable = self._until(
            lambda: any(one.personalized for one in self._each(replicas, surface, WITHDRAWN).values())
        )
        enforced: dict[str, float] = {}
        stop = threading.Event()
        began = self.monotonic()

        def follow(replica: Receipt) -> None:
            while not stop.wait(ASK_EVERY_S):
                answer = self._ask(replica, surface, WITHDRAWN)
                if answer.personalized is False:
                    enforced[replica.replica] = answer.asked_at - began
                    return

        with ThreadPoolExecutor(len(replicas)) as pool:
            following = [pool.submit(follow, each) for each in replicas]
            try:
                done = self.consents.record(WITHDRAWN, Purpose.PERSONALIZATION, "denied", warrant, source=PROBE)
                answers = self._each(replicas, surface, WITHDRAWN)
            finally:
                stop.set()
            for each in following:
                each.result()
        return self._judged(replicas, "withdrawal", answers, done.epoch, enforced if measurable else {})

    def _judged(
        self,
        replicas: Sequence[Receipt],
        kind: ProbeKind,
        answers: dict[str, Answered],
        epoch: int,
        enforced: dict[str, float],
    ) -> tuple[list[ConsentProbe], list[ConsentViolation]]:
        at = self.now()
        results = {True: "personalized", False: "left_alone", None: "no_answer"}
        probes = [
            ConsentProbe(
                at=at,
                replica=each.replica,
                kind=kind,
                result=results[answers[each.replica].personalized],  # type: ignore[arg-type]  # one of the three
                reason=answers[each.replica].reason,
                decision_id=answers[each.replica].decision_id,
                epoch=epoch,
                enforced_us=round(enforced[each.replica] * 1e6) if each.replica in enforced else None,
            )
            for each in replicas
        ]
        violations = [
            ConsentViolation(
                decision_id=one.decision_id, detector="probe", replica=one.replica, at=at, found_at=at, epoch=epoch
            )
            for one in probes
            if one.result == "personalized"
        ]
        return probes, violations

    def _each(self, replicas: Sequence[Receipt], surface: str, subject: str) -> dict[str, Answered]:
        return {each.replica: self._ask(each, surface, subject) for each in replicas}

    def _ask(self, replica: Receipt, surface: str, subject: str) -> Answered:
        asked_at = self.monotonic()
        try:
            answer = self.client.post(
                replica.url.rstrip("/") + "/v1/personalize",
                json={"surface": surface, "subject": subject},
                headers={"authorization": f"Bearer {self.token}"},
            )
            told = answer.json() if answer.status_code == 200 else {}
        except (httpx.HTTPError, ValueError) as error:
            return Answered(None, type(error).__name__, asked_at=asked_at)
        if "served_by" not in told:
            return Answered(None, f"status {answer.status_code}", asked_at=asked_at)
        return Answered(told["served_by"] != "default", str(told["reason"]), str(told["decision_id"]), asked_at)

    def _until(self, holds: Callable[[], bool]) -> bool:
        end = self.monotonic() + ALIVE_AGAIN_S
        while not (found := holds()) and self.monotonic() < end:
            time.sleep(5 * ASK_EVERY_S)
        return found
