"""A person's own page: what it shows, and what each of its forms does; everything acts through the control actions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from governance.book import Deed, Matter
from governance.control import Control
from governance.installation import installation
from governance.own import likes as said_of
from governance.own.asked import Asked, traces_of
from governance.own.consents import Choice, choices
from governance.own.likes import Like
from governance.own.person import SOURCE, Person, acting, end_user
from governance.own.seen import Lately, Seen
from governance.portability import Exporting
from governance.rights import MARKETING
from storage import ledger, profiles, revisions
from storage.database import Database
from storage.errors import Conflict, FairleadError, NotFound
from storage.lake import Lake
from storage.records.changes import Change
from storage.records.consent import Purpose
from storage.records.profiles import Profile
from storage.records.requests import SubjectRequest

Profiles = Callable[[str], Mapping[str, Any]]
Rates = Callable[[Mapping[str, Any]], object]
RATING: Final = "rating"
RATED: Final[Mapping[str, float]] = {"helpful": 5.0, "unhelpful": 1.0}
"""What a person can say of one item that they were shown, as the rating that learns from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything that the page shows. ``learning`` is ``ok``, or why nothing was learned; ``unknown`` says that the
    engines do not answer, so that only what was stated is shown."""

    at: int
    zone: str
    known: bool
    choices: Sequence[Choice]
    paused: bool
    stopped: bool
    seen: Sequence[Seen]
    likes: Sequence[Like]
    learning: str
    rates: bool
    requests: Sequence[SubjectRequest]
    deletion: SubjectRequest | None
    change: Change | None

    @property
    def personal(self) -> bool:
        """Whether anything is chosen for this person now."""
        return self.on(Purpose.PERSONALIZATION) and not (self.paused or self.stopped)

    @property
    def objected(self) -> bool:
        """Whether the person said no to all marketing."""
        return all(not one.on and one.by_person for one in self.choices if one.purpose in MARKETING)

    def on(self, purpose: Purpose) -> bool:
        """Tell whether a purpose is allowed."""
        return any(one.on for one in self.choices if one.purpose == purpose)


class OwnPage:
    """What a person sees, says and asks for.

    Parameters
    ----------
    control, database, lake
        What acts, and where everything is.
    exporting
        What gathers all that is kept of a person.
    profile
        Asks an engine what it knows of a raw subject.
    rate
        Tells an engine what a person said of an item.
    """

    def __init__(
        self,
        *,
        control: Control,
        database: Database,
        lake: Lake,
        exporting: Exporting,
        profile: Profiles,
        rate: Rates,
    ) -> None:
        self._control = control
        self._database = database
        self._lately = Lately(database, lake)
        self._profile = profile
        self._rate = rate
        self.asked = Asked(control, database, exporting)

    def person(self, subject: str, request_id: str = "") -> Person:
        """Return who a raw subject is."""
        known = self._control.subjects.known(subject)
        return Person(raw=subject, known=known, warrant=acting(end_user(subject), request_id))

    def view(self, person: Person) -> View:
        """Return what the page shows now."""
        now = self._control.now()
        with self._database.read() as read:
            settings = installation(read)
            snapshot = revisions.load(read)
        told = self._told(person)
        requests = self.asked.listed(person)
        deletion = next((one for one in requests if one.kind == "erasure" and one.state in ("open", "running")), None)
        return View(
            at=now,
            zone=settings.zone,
            known=person.known is not None,
            choices=choices(self._database, person.known),
            paused=self.asked.restricted(person),
            stopped=snapshot is not None and snapshot.kill_switch.on,
            seen=[] if person.known is None else self._lately.of(person.known, now),
            likes=said_of.likes(told),
            learning=str(told["learned_from"]),
            rates=RATING in settings.events,
            requests=requests,
            deletion=deletion,
            change=None if deletion is None else self.asked.change_of(deletion),
        )

    def interests(self, person: Person) -> list[Mapping[str, Any]]:
        """Return the person's interests as an engine tells them."""
        return list(self._told(person)["interests"])

    def allow(self, person: Person, purpose: Purpose, *, on: bool, text_version: str = "") -> bool:
        """Let a purpose be allowed, or not; tell whether every engine decides by it already.

        Raises
        ------
        Conflict
            If it is to be allowed while everything waits for deletion.
        """
        if on and self.asked.restricted(person):
            raise Conflict("everything is paused, since you asked for deletion; take that back first")
        told = self._control.consents.record(
            person.raw,
            purpose,
            "granted" if on else "denied",
            person.warrant,
            source=SOURCE,
            text_version=text_version if on else "",
        )
        return told.complete

    def object_to_marketing(self, person: Person) -> bool:
        """Use the person's data for direct marketing no more (GDPR 21(2)); tell whether every engine knows."""
        if person.known is not None:
            return self._control.rights.object_to(person.raw, (), person.warrant).acknowledged.complete
        told = [self.allow(person, purpose, on=False) for purpose in MARKETING]
        return all(told)

    def reword(self, person: Person, said: Mapping[str, str]) -> bool:
        """Let interests be as strong as the person's words say."""
        return self._state(person, said_of.reworded(self._likes(person), said))

    def move_up(self, person: Person, name: str) -> bool:
        """Let an interest stand one place higher."""
        return self._state(person, said_of.moved_up(self._likes(person), name))

    def set_aside(self, person: Person, name: str) -> bool:
        """Let an interest count no more, and what was done about it neither."""
        return self._state(person, {self._named(person, name): said_of.ASIDE})

    def learn_again(self, person: Person, name: str) -> bool:
        """Let what a person said of an interest be forgotten, so that it is learned from what they do."""
        return self._state(person, {self._named(person, name): None})

    def show_less(self, person: Person, decision_id: str, item: str) -> bool:
        """Show less of what an item is known for."""
        self._require_shown(person, decision_id, item)
        names = [trait.name for trait in self._lately.traits(item)]
        return self._state(person, said_of.less_of(names, self._likes(person)))

    def rate(self, person: Person, decision_id: str, item: str, word: str) -> None:
        """Take what a person says of an item that they were shown; entered, then told to an engine, once however often
        it is said."""
        surface = self._require_shown(person, decision_id, item)
        event = {
            "subject": person.raw,
            "type": RATING,
            "value": RATED[word],
            "item": item,
            "surface": surface,
            "decision_id": decision_id,
            "event_id": f"own-{decision_id}-{ledger.commitment(self._control.subjects.book.keys, [item, word])[-16:]}",
        }
        subjects = self._control.subjects
        matter = Matter(action="own.feedback", object_kind="subject", object_key=subjects.commitment(person.known))
        after = {"decision_id": decision_id, "said": word}
        subjects.book.enter(matter, person.warrant, lambda _write, _at: Deed(answer=None, after=after))
        self._rate(event)

    def _likes(self, person: Person) -> list[Like]:
        return said_of.likes(self._told(person))

    def _named(self, person: Person, name: str) -> str:
        """Return the name of an interest if it stands on the person's list."""
        if all(one.name != name for one in self._likes(person)):
            raise NotFound("this interest is no longer on your list")
        return name

    def _state(self, person: Person, said: Mapping[str, float | None]) -> bool:
        """State interests; tell whether every engine took them over."""
        if not said:
            return True
        return self._control.rights.rectify(person.raw, {}, said, person.warrant).acknowledged.complete

    def _require_shown(self, person: Person, decision_id: str, item: str) -> str:
        """Return where an item was shown to this person, and to nobody else."""
        found = self._lately.one(traces_of(person), decision_id)
        if found is None or item not in found.items:
            raise NotFound("this was not shown to you, or its record is no longer kept")
        return found.surface

    def _told(self, person: Person) -> Mapping[str, Any]:
        """Return what an engine knows of a person; of whom nothing is kept none is asked, so that none makes a name
        for them."""
        if person.known is None:
            return {"stated": {"interests": {}}, "interests": [], "learned_from": "nothing_kept"}
        try:
            return self._profile(person.raw)
        except FairleadError:
            with self._database.read() as read:
                found = profiles.stated(read, person.known.subjects[0])
            said = (Profile() if found is None else found.profile).interests
            stated = {name: {"value": each.value} for name, each in said.items()}
            return {"stated": {"interests": stated}, "interests": [], "learned_from": "unavailable"}
