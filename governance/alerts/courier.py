"""Delivers alerts through Apprise, with patience and a limit; what it tells of a failure never holds an address."""

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import structlog

from governance.alerts.destinations import SETTING, Destination
from governance.alerts.wording import Message, message
from storage import alerts, deliveries
from storage.database import Database
from storage.errors import FairleadError, Invalid, Problem
from storage.records.alerts import Delivery
from storage.records.clock import MINUTE, SECOND

log = structlog.get_logger(__name__)
for _telling in ("apprise", "urllib3.connectionpool"):
    logging.getLogger(_telling).setLevel(logging.CRITICAL + 1)  # they tell addresses, and addresses hold secrets

PAUSES_S = (5, 30, 120, 600, 1_800)
"""After each attempt that failed; then it is given up, and shown as failed."""
TAKEN = 2 * MINUTE
"""What is taken and not done within so long is taken again."""
AT_ONCE = 8
Send = Callable[[Destination, Message, bool], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who signs the messages: where the dashboard is, and the installation's name."""

    dashboard: str = ""
    environment: str = ""


@cache
def _library() -> Any:
    """Return Apprise with its plugins loaded; some warn of what they import themselves."""
    import apprise

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        apprise.Apprise.instantiate("json://localhost/")
    return apprise


def through_apprise(destination: Destination, told: Message, good: bool) -> bool:
    """Send one message to one destination; tell whether it was taken. A webhook gets the fields as well."""
    apprise = _library()
    from apprise.plugins.custom_json import NotifyJSON

    found = apprise.Apprise.instantiate(destination.address, suppress_exceptions=True)
    if found is None:
        return False
    if isinstance(found, NotifyJSON):
        found.payload_extras.update(told.document)
    kind = apprise.NotifyType.SUCCESS if good else apprise.NotifyType.FAILURE
    sender = apprise.Apprise()
    sender.add(found)
    return bool(
        sender.notify(body=told.body, title=told.title, notify_type=kind, body_format=apprise.NotifyFormat.TEXT)
    )


def require_known(destinations: Sequence[Destination]) -> None:
    """See that Apprise understands every address.

    Raises
    ------
    Invalid
        With the names of those that it does not; never the address.
    """
    apprise = _library()
    strange = [
        one.name for one in destinations if apprise.Apprise.instantiate(one.address, suppress_exceptions=True) is None
    ]
    if strange:
        text = f"{', '.join(strange)}: not an address that Apprise knows, such as json://, mailtos:// or slack://"
        raise Invalid(f"{SETTING}: {text}", problems=(Problem(field=SETTING, message=text),))


class Courier:
    """Empties the outbox: each delivery in a thread of its own pool, so that a slow destination holds up nobody.

    Parameters
    ----------
    database
        Where the outbox is.
    destinations
        Where to.
    sender
        Who signs.
    now
        The clock, microseconds UTC.
    send
        How one message is sent.
    """

    def __init__(
        self,
        database: Database,
        destinations: Sequence[Destination],
        sender: Sender,
        *,
        now: Callable[[], int],
        send: Send = through_apprise,
    ) -> None:
        self._database = database
        if destinations:
            _library()
        self._known: Mapping[str, Destination] = {one.name: one for one in destinations}
        self._sender = sender
        self._now = now
        self._send = send
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="courier")
        self._under_way: set[Future[None]] = set()

    def look(self) -> list[Future[None]]:
        """Take what is due, as much as there is room for, and begin to send it; returns at once.

        What is taken is sent at once: what had to wait here would be taken again as never done, and sent twice.
        """
        now = self._now()
        self._under_way = {one for one in self._under_way if not one.done()}
        room = AT_ONCE - len(self._under_way)
        if room <= 0:
            return []
        with self._database.read() as read:
            if not deliveries.due(read, now=now):
                return []
        with self._database.write() as write:
            taken = deliveries.claim(write, now=now, until=now + TAKEN, most=room)
        begun = [self._pool.submit(self._deliver, each) for each in taken]
        self._under_way.update(begun)
        return begun

    def stop(self) -> None:
        """Begin nothing more; what is under way ends by its own limits."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _deliver(self, delivery: Delivery) -> None:
        try:
            trouble = self._attempt(delivery)
            self._note(delivery, trouble)
        except FairleadError as error:
            log.warning("a delivery could not be noted; it is tried again", reason=str(error))
        except Exception as error:  # a library of others; its words may hold the address
            log.warning("a delivery failed", destination=delivery.destination, kind=type(error).__name__)
            self._note(delivery, f"it ended with {type(error).__name__}")

    def _attempt(self, delivery: Delivery) -> str:
        destination = self._known.get(delivery.destination)
        with self._database.read() as read:
            alert = alerts.find(read, delivery.alert_id)
        if destination is None:
            return "there is no destination of this name any more"
        if alert is None:
            return "the alert is forgotten"
        told = message(alert, delivery.occasion, dashboard=self._sender.dashboard, environment=self._sender.environment)
        taken = self._send(destination, told, delivery.occasion != "fired")
        return "" if taken else "the destination did not take it"

    def _note(self, delivery: Delivery, trouble: str) -> None:
        now = self._now()
        if not trouble:
            after = replace(delivery, state="delivered", done_at=now, trouble="")
        elif delivery.attempts > len(PAUSES_S):
            after = replace(delivery, state="failed", done_at=now, trouble=trouble)
        else:
            pause = PAUSES_S[delivery.attempts - 1] * SECOND
            after = replace(delivery, state="pending", next_at=now + pause, trouble=trouble)
        with self._database.write() as write:
            deliveries.save(write, after)
        if after.state == "failed":
            log.warning("an alert could not be delivered", destination=delivery.destination, reason=trouble)
