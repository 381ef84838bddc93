"""People beside their events: what they state, and whom a visitor turns out to be; durable, then learned."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from scoring_core.features.profile import stated_only
from scoring_core.features.statements import joined, statement
from storage import profiles
from storage.database import Database
from storage.errors import Unavailable
from storage.hot.protocol import HotStore
from storage.records.consent import Consented
from storage.records.profiles import PersonChange, Profile
from storage.records.subjects import UserState

PAGE = 1_000
NOTHING_STATED = Profile()

T = TypeVar("T")


class People:
    """Reads and changes what people state. The database has the word; the hot store follows it before an answer is
    given, and those of other replicas as soon as they look.

    Parameters
    ----------
    executor
        Where calls wait for the database.
    on_hot_failure
        Told when the hot store does not answer.
    """

    def __init__(
        self,
        *,
        database: Database,
        hot: HotStore,
        executor: Executor,
        now: Callable[[], int],
        on_hot_failure: Callable[[], None],
    ) -> None:
        self._database = database
        self._hot = hot
        self._executor = executor
        self._now = now
        self._on_hot_failure = on_hot_failure
        self._own: set[int] = set()
        self._coming: deque[PersonChange] = deque()
        self.number = 0
        """The newest change that this replica's own store has taken over."""

    async def known(self, who: Consented) -> UserState | None:
        """Return what a decision may know of a person: without consent to profiling only what was stated. Raises
        ``Unavailable``."""
        user = await self._hot.state(who)
        return user if who.flags is None or who.flags.profiling else stated_only(user)

    async def stated(self, subject: str) -> Profile:
        """Return what a person stated. Raises ``Unavailable``."""

        def look() -> Profile:
            with self._database.read() as read:
                found = profiles.stated(read, subject)
            return NOTHING_STATED if found is None else found.profile

        return await self._on(look)

    async def edit(self, subject: str, change: Callable[[Profile], Profile]) -> Profile:
        """Let ``change`` make a new profile of what was stated; when this returns it is durable and the next decision
        sees it. Raises ``Unavailable``, and what ``change`` raises."""

        def write() -> PersonChange:
            with self._database.write() as write:
                found = profiles.stated(write, subject)
                profile = change(NOTHING_STATED if found is None else found.profile)
                return profiles.state(write, subject, profile, at=self._now())

        made = await self._on(write)
        await self._apply_own([made])
        return made.profile

    async def identify(self, visitor: str, account: str) -> bool:
        """Let what is known of a visitor join an account; tell whether anything was learned of the visitor here.
        Raises ``Unavailable``."""

        def write() -> list[PersonChange]:
            with self._database.write() as write:
                at = self._now()
                changes = [profiles.merge(write, visitor, account, at=at)]
                left = profiles.stated(write, visitor)
                if left is not None and left.profile != NOTHING_STATED:
                    right = profiles.stated(write, account)
                    union = joined(left.profile, NOTHING_STATED if right is None else right.profile)
                    changes.append(profiles.state(write, account, union, at=at))
                    changes.append(profiles.state(write, visitor, NOTHING_STATED, at=at))
                return changes

        if visitor == account:
            return False
        return await self._apply_own(await self._on(write))

    async def follow(self) -> None:
        """Take over what other replicas wrote: for a store that is not shared."""
        while await self.next_at() is not None:
            await self.advance()

    async def next_at(self) -> int | None:
        """Return when the next change that this replica's own store has not taken over was made."""

        def look() -> list[PersonChange]:
            with self._database.read() as read:
                return profiles.after(read, self.number, PAGE)

        if not self._coming:
            self._coming.extend(await self._on(look))
        return self._coming[0].at if self._coming else None

    async def advance(self) -> None:
        """Take that change over."""
        change = self._coming[0]
        if change.number not in self._own:
            await self._apply([change])
        self._own.discard(change.number)
        self._coming.popleft()
        self.number = change.number

    async def _apply_own(self, changes: list[PersonChange]) -> bool:
        self._own.update(change.number for change in changes)
        return await self._apply(changes)

    async def _apply(self, changes: list[PersonChange]) -> bool:
        moved = False
        try:
            for change in changes:
                if change.kind == "merged":
                    moved = await self._hot.merge(change.subject, change.account) or moved
                else:
                    await self._hot.state_explicitly(statement(change))
        except Unavailable:
            self._on_hot_failure()
            raise
        return moved

    async def _on(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)
