"""What every store of impression counts promises of windows: rolling ones, and those of a calendar."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from scoring_core.cap_windows import window
from storage.hot.caps import Windows
from storage.records.caps import Cap
from storage.records.clock import SECOND
from tests.laws.caps.stands import DAILY, WEEKLY, WINDOWS, Run, Stand, claim, count, reserve, shown


@pytest.mark.parametrize("part", [0.0, 0.4, 0.999])
def test_a_rolling_window_never_ends_early_and_at_most_a_second_late(run: Run, part: float) -> None:
    async def scenario(at: Stand) -> None:
        at.clock.pass_s(part)
        await at.store.impressed([shown(at, 1), shown(at, 2)], WINDOWS)
        at.clock.pass_s(86_400 - 1e-6)
        assert (await reserve(at, claim(3))).refused == (0,)
        at.clock.pass_s(1.001)
        assert (await reserve(at, claim(3))).refused == ()

    run(scenario)


def test_an_impression_of_long_ago_is_none_of_now(run: Run) -> None:
    async def scenario(at: Stand) -> None:
        old = at.clock.now_s - 3 * 86_400
        await at.store.impressed([shown(at, 1, (DAILY, 1), (WEEKLY, 1), at_s=old)], WINDOWS)
        assert (await count(at), await count(at, (WEEKLY, 1))) == (0, 1)
        await at.store.impressed([shown(at, 2, at_s=at.clock.now_s + 9_000)], WINDOWS)
        at.clock.pass_s(86_402)
        assert await count(at) == 0, "an event's clock that is ahead buys no longer hold"

    run(scenario)


def local(zone: str, *when: int) -> int:
    return int(datetime(*when, tzinfo=ZoneInfo(zone)).timestamp())  # type: ignore[arg-type]  # a date's parts


@pytest.mark.parametrize(
    ("cap", "seen", "still", "over"),
    [
        # a day of 23 hours, and one of 25, in Berlin
        (
            Cap(key="c", limit=1, unit="day", window="calendar", zone="Europe/Berlin"),
            local("Europe/Berlin", 2024, 3, 31, 0, 0, 0),
            local("Europe/Berlin", 2024, 3, 31, 23, 59, 59),
            local("Europe/Berlin", 2024, 4, 1, 0, 0, 0),
        ),
        (
            Cap(key="c", limit=1, unit="day", window="calendar", zone="Europe/Berlin"),
            local("Europe/Berlin", 2024, 10, 26, 23, 59, 59) + 1,
            local("Europe/Berlin", 2024, 10, 27, 23, 59, 59),
            local("Europe/Berlin", 2024, 10, 28, 0, 0, 0),
        ),
        # a midnight that is skipped (Santiago), and a half-hour zone
        (
            Cap(key="c", limit=1, unit="day", window="calendar", zone="America/Santiago"),
            local("America/Santiago", 2024, 9, 8, 1, 0, 0),
            local("America/Santiago", 2024, 9, 8, 23, 59, 59),
            local("America/Santiago", 2024, 9, 9, 0, 0, 0),
        ),
        (
            Cap(key="c", limit=1, unit="hour", window="calendar", zone="Asia/Kolkata"),
            local("Asia/Kolkata", 2024, 5, 5, 13, 0, 0),
            local("Asia/Kolkata", 2024, 5, 5, 13, 59, 59),
            local("Asia/Kolkata", 2024, 5, 5, 14, 0, 0),
        ),
        # weeks begin on Monday; two months are this one and the one before
        (
            Cap(key="c", limit=1, unit="week", window="calendar", zone="UTC"),
            local("UTC", 2024, 5, 6, 0, 0, 0),
            local("UTC", 2024, 5, 12, 23, 59, 59),
            local("UTC", 2024, 5, 13, 0, 0, 0),
        ),
        (
            Cap(key="c", limit=1, unit="month", count=2, window="calendar", zone="Australia/Lord_Howe"),
            local("Australia/Lord_Howe", 2023, 12, 1, 0, 0, 0),
            local("Australia/Lord_Howe", 2024, 1, 31, 23, 59, 59),
            local("Australia/Lord_Howe", 2024, 2, 1, 0, 0, 0),
        ),
    ],
)
def test_a_calendar_window_ends_with_its_period_in_its_zone(
    run: Run, cap: Cap, seen: int, still: int, over: int
) -> None:
    async def scenario(at: Stand) -> None:
        def windows() -> Windows:
            return Windows({1: window(cap, 1, at.clock.now)})

        at.clock.now = seen * SECOND
        await at.store.impressed([shown(at, 1, (1, 1))], windows())
        at.clock.now = still * SECOND + 999_999
        assert await count(at, (1, 1), windows()) == 1
        # the engine's clock a little behind, the store's over the edge: the store's decides
        behind = windows()
        at.clock.now = over * SECOND
        assert await count(at, (1, 1), windows()) == 0
        assert await count(at, (1, 1), behind) == 0

    run(scenario)


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    cap = Cap(key="c", limit=1, unit="hour", window="calendar", zone="Europe/Berlin")
    first = local("Europe/Berlin", 2024, 10, 27, 2, 30, 0)
    one, two = (window(cap, 1, at * SECOND).since(at) for at in (first, first + 3_600))
    assert two - one == 3_600
