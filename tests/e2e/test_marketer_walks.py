"""A marketer finds the best hour of a campaign, opens its cell, and takes along what the raw rows say as well."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Locator, Page, expect

from storage import cells
from storage.database import Database
from storage.records import clock
from storage.records.clock import DAY, HOUR, MINUTE
from tests.e2e import rawrows
from tests.e2e.installation import Copy, until
from tests.e2e.visitors import Visitors, own_token
from tests.e2e.walking import WAIT_MS, Enter, choose, look, saved_rows, settle

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

KEY = f"evening-{token_hex(2)}"
PEOPLE, SLOTS = 60, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Evening:
    """A campaign that is clicked most in one hour of a weekday, seen in two weeks; all it left, raw."""

    best: datetime
    raw: duckdb.DuckDBPyConnection

    @property
    def name(self) -> str:
        """The cell's name in words."""
        return f"{self.best:%a} · {self.best:%H}"

    def counted(self, by: str, where: str = "true") -> dict[Any, tuple[int, int, float, float]]:
        """Impressions and clicks by an expression, with Wilson's interval."""
        rows = self.raw.execute(
            f"""SELECT k, n, hits, wilson_low(hits::DOUBLE, n), wilson_high(hits::DOUBLE, n) FROM (
                  SELECT {by} AS k, count(*) AS n, count(clicked) AS hits FROM (
                    SELECT *, make_timestamp(seen) AS t FROM impression WHERE campaign = $key AND mark = 'live')
                  WHERE {where} GROUP BY k)""",
            {"key": KEY},
        ).fetchall()
        return {key: (n, hits, low, high) for key, n, hits, low, high in rows}


def live(visitors: Visitors, best: int) -> tuple[int, int]:
    """Show the campaign to people in two hours of two weeks; return how much was shown and clicked."""
    shown = clicked = 0
    for person in range(PEOPLE):
        who = {"subject": f"evening-{person}", "surface": "home", "campaign": KEY}
        body = {**who, "session": f"e-{person}", "slots": SLOTS, "context": {}}
        answer = visitors.engine.post(
            "/v1/personalize", json=body, headers={"Authorization": f"Bearer {visitors.token}"}
        )
        assert answer.status_code == 200, answer.text
        decision = answer.json()
        for place, entry in enumerate(decision["items"]):
            good = place % 2 == 0
            at = best - (0 if good else 3 * HOUR) - (7 * DAY if person % 3 == 0 else 0) + person * MINUTE // 2
            hit = (person + place // 2) % (2 if good else 5) == 0
            about = {"decision_id": decision["decision_id"], "item": entry["item"], **who}
            for kind, moment in (("impression", at), ("click", at + MINUTE))[: 1 + hit]:
                name = f"{KEY}-{person}-{place}-{kind}"
                visitors.events.append({"event_id": name, "type": kind, "at": moment, **about})
            shown, clicked = shown + 1, clicked + hit
    visitors.report()
    return shown, clicked


def collected(database: Database, best: int) -> tuple[int, int]:
    with database.read() as read:
        held = cells.totals(read, start=best - 10 * DAY, end=best + DAY, by=("campaign",))
    return next(((cell.impressions, cell.clicks) for cell in held if cell.a == KEY), (0, 0))


@pytest.fixture(scope="module")
def evening(copy: Copy, token: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    visitors, best = Visitors(copy, token), (clock.now() - 2 * DAY) // HOUR * HOUR
    visitors.command("/campaigns", campaign={"key": KEY, "name": "Evening", "surfaces": ["home"]})
    started = visitors.command(f"/campaigns/{KEY}/start")["revision"]
    assert until(lambda: visitors.engine.get("/readyz").json()["revision"] >= started)
    told = live(visitors, best)
    visitors.leave()
    database = Database(copy.database_url)
    assert until(lambda: collected(database, best) == told, within_s=90.0), (told, collected(database, best))
    database.close()
    raw = rawrows.load(
        tmp_path_factory.mktemp("evening"),
        entries=rawrows.journal(copy.engine, token),
        told=rawrows.windows(copy.engine, own_token(copy, "collector")),
        home=copy.home,
    )
    yield Evening(best=datetime.fromtimestamp(best / 1e6, tz=UTC), raw=raw)
    raw.close()


def taken(page: Page, key: str, within: str) -> list[dict[str, str]]:
    """Open a panel's numbers and save them as CSV, as a person does."""
    page.locator(f".st-key-{within} button").first.click()
    rows = saved_rows(page, f"{key}-csv")
    page.keyboard.press("Escape")
    return rows


def click_cell(page: Page, hours: Locator, *, row: str, column: int) -> None:
    """Click on a cell of hours by weekdays with the mouse."""
    hours.locator(".js-plotly-plot").first.scroll_into_view_if_needed()
    rows = hours.locator(".ytick text").all_text_contents()  # the week begins where the browser says
    square = (
        hours.locator(".scatterlayer .trace")
        .last.locator("path.point")
        .nth(rows.index(row) * 24 + column)
        .bounding_box()
    )
    assert square is not None
    page.mouse.click(square["x"] + square["width"] / 2, square["y"] + square["height"] / 2)


def same(row: dict[str, str], counted: tuple[int, int, float, float], *, rate: str) -> bool:
    """Tell whether a saved row holds these counts, their rate and its interval."""
    n, hits, low, high = counted
    told = [float(row[name]) for name in ("n", "clicks", rate, "low", "high")]
    return told == pytest.approx([n, hits, hits / n, low, high], rel=1e-9)


def test_a_marketer_finds_the_best_hour_opens_its_cell_and_takes_it_along(
    copy: Copy, enter: Enter, evening: Evening
) -> None:
    page = look(enter("marketer"), copy, "heatmaps")
    choose(page, "Campaign", KEY)
    hours = page.locator(".st-key-panel-hours")
    hours.get_by_text("Finest grid").click()
    expect(hours.get_by_text(f"{evening.name} is best")).to_be_visible(timeout=WAIT_MS)
    settle(page)
    best = evening.counted("hour(t)", f"dayname(t) = '{evening.best:%A}'")[evening.best.hour]
    grid = {(row["row"], row["column"]): row for row in taken(page, "map-hours", "map-hours-numbers")}
    assert same(grid[f"{evening.best:%a}", f"{evening.best:%H}"], best, rate="click_rate")
    everything = evening.counted("true")[True]
    assert same(grid["total", "total"], everything, rate="click_rate")
    lift = float(grid[f"{evening.best:%a}", f"{evening.best:%H}"]["lift"])
    assert lift == pytest.approx(best[1] / best[0] / (everything[1] / everything[0]), rel=1e-9)

    click_cell(page, hours, row=f"{evening.best:%a}", column=evening.best.hour)
    expect(hours.get_by_role("heading", name=evening.name)).to_be_visible(timeout=WAIT_MS)
    settle(page)
    in_cell = f"hour(t) = {evening.best.hour}"
    days = {f"{day:%a} {day.day} {day:%b %Y}": told for day, told in evening.counted("t::DATE", in_cell).items()}
    found = {row["day"]: row for row in taken(page, "cell-trend-hours", "cell-trend-hours-numbers")}
    assert found.keys() == days.keys() and len(days) == 2
    assert all(same(found[day], told, rate="click_rate") for day, told in days.items())

    chosen = hours.get_by_role("combobox", name=re.compile("Day of this cell")).input_value()
    items = evening.counted("item", f"{in_cell} AND strftime(t, '%a %-d %b %Y') = '{chosen}'")
    most = sorted(items, key=lambda item: (-items[item][0], item))[:5]
    shown = taken(page, "cell-items-hours", "hours-files")
    assert [(row["item"], int(row["n"])) for row in shown] == [(item, items[item][0]) for item in most]
