"""How long a page takes in Chromium over ten million journal rows, against ten thousand; many people at once."""

import asyncio
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.figures import Figure, cpu_seconds
from benchmarks.journal import ROWS_A_DECISION, fill
from benchmarks.observed import observe
from benchmarks.ports import free_ports
from benchmarks.served import Served, calm, environ, served
from benchmarks.viewers import refreshing, viewing
from dashboard.entrance import ADDRESSES
from fairlead.settings import load
from fairlead.wiring import open_store
from storage.records import clock
from storage.records.clock import DAY, SECOND

SIZES = {"large": 10_000_000, "small": 10_000}
WARM_S, COLD_S, GROWTH = 2.0, 4.0, 1.2
REPEATS = 3
WHOLE, MORE = "range=Last+30+days", {"heatmaps": "&rows=All+rows&campaign=all"}
"""What pages are asked for: all thirty days; of heatmaps a campaign too, with the generated rows, which are marked as
simulated."""
SESSIONS, REFRESH_S, WATCHED_S, CORES = 50, 10, 60.0, 0.5
CYCLES, HEAP_MB, KEPT_S = 200, 50, 130.0
PER_SECOND, LIVED_S = 20.0, 60.0
"""Traffic while many look, so that what they look at moves, and for how long there was some before."""

USABLE = """
() => {
  const app = document.querySelector('[data-testid="stApp"]');
  const settled = app && app.dataset.testScriptState === "notRunning" && document.querySelector("h1");
  const waiting = document.querySelector('[data-testid="stSkeleton"], [data-testid="stSpinner"]');
  const drawn = [...document.querySelectorAll('[data-testid="stPlotlyChart"]')];
  const charts = drawn.every((one) => one.querySelector(".main-svg"));
  return settled && !waiting && charts ? performance.now() : false;
}
"""


def prepare(folder: Path) -> dict[str, Any]:
    """Make both installations below ``folder``, those that are not there yet; return what was written."""
    first = folder / "first"
    if not first.exists():
        command = [sys.executable, "-m", "fairlead", "prepare"]
        subprocess.run(command, env=environ(first, free_ports(4)), check=True, stdout=sys.stderr)
    told: dict[str, Any] = {}
    for name, rows in SIZES.items():
        note = folder / f"{name}.json"
        if not note.exists():
            shutil.rmtree(folder / name, ignore_errors=True)
            shutil.copytree(first, folder / name)
            store = open_store(load({"home": folder / name}).settings)
            now, begin = clock.now(), time.monotonic()
            written = fill(store, rows=rows, now=now, seed=1)
            windows = observe(store, per_second=rows / ROWS_A_DECISION / (30 * DAY / SECOND), now=now, seed=2)
            journal = written.decisions + written.events
            found = {"journal_rows": journal, "cells": written.cells, "windows": windows}
            note.write_text(json.dumps(found | {"seconds": round(time.monotonic() - begin, 1)}))
            store.database.close()
            print(f"{name}: {found}", file=sys.stderr)
        told[name] = json.loads(note.read_text())
    return told


def visit(browser: Browser, at: Served, key: str, count: int) -> list[float]:
    """Open a page so many times; return the seconds until it was usable, each time."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.add_cookies([{"name": at.name, "value": at.value, "url": at.address}])
    page = context.new_page()
    seconds = []
    for _ in range(count):
        page.goto(f"{at.address}/{key}?{WHOLE}{MORE.get(key, '')}", wait_until="commit")
        usable = page.wait_for_function(USABLE, timeout=90_000, polling=25)
        seconds.append(float(usable.json_value()) / 1_000)
    context.close()
    return seconds


def timed(browser: Browser, at: Served, key: str) -> dict[str, float]:
    """Visit a page: first as the first person since the start, then again at once. ``cpu`` is what the dashboard's
    process took for one of the latter, which a busy machine changes less than it does the time."""
    cold = visit(browser, at, key, 1)[0]
    used = cpu_seconds(at.pid)
    warm = visit(browser, at, key, REPEATS)
    cpu = (cpu_seconds(at.pid) - used) / REPEATS
    return {"cold": round(cold, 3), "warm": round(statistics.median(warm), 3), "cpu": round(cpu, 3)}


def walk(browser: Browser, both: dict[str, Served]) -> dict[str, dict[str, dict[str, float]]]:
    """Visit every page of all installations, one page of each after the other."""
    found: dict[str, dict[str, dict[str, float]]] = {name: {} for name in both}
    for at in both.values():
        visit(browser, at, "system", 1)
    for at in (*both.values(), *both.values()):  # the first may have begun anew while the second was waited for
        calm(at)
    for key in ADDRESSES:
        for name, at in both.items():
            found[name][key] = timed(browser, at, key)
        print(key, {name: pages[key] for name, pages in found.items()}, file=sys.stderr, flush=True)
    return found


def _memory_mb(pid: int) -> float:
    lines = (Path("/proc") / str(pid) / "smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Private_Dirty"))


async def crowd(at: Served) -> tuple[float, int]:
    """Keep many sessions open on Live, each refreshing itself; return the dashboard's cores and how often it drew."""
    query, cookie = f"refresh={REFRESH_S}+s", f"{at.name}={at.value}"
    async with contextlib.AsyncExitStack() as stack:
        viewers = [await stack.enter_async_context(viewing(at.address, cookie, "live", query)) for _ in range(SESSIONS)]
        begin, used = time.monotonic(), cpu_seconds(at.pid)
        done = await asyncio.gather(*(refreshing(one, "live", query, for_s=WATCHED_S) for one in viewers))
        return (cpu_seconds(at.pid) - used) / (time.monotonic() - begin), sum(done)


async def cycles(at: Served, count: int) -> None:
    """Open a session, let the page be drawn, close it; so many times, another page each."""
    cookie = f"{at.name}={at.value}"
    for number in range(count):
        async with viewing(at.address, cookie, ADDRESSES[number % len(ADDRESSES)]):
            pass


def heap(at: Served) -> tuple[float, float]:
    """Return the dashboard's private memory before and after the cycles, once its idle sessions are forgotten."""
    asyncio.run(cycles(at, 2 * len(ADDRESSES)))
    time.sleep(KEPT_S)
    before = _memory_mb(at.pid)
    asyncio.run(cycles(at, CYCLES))
    time.sleep(KEPT_S)
    return before, _memory_mb(at.pid)


def slowest(found: dict[str, dict[str, float]], kind: str) -> tuple[str, float]:
    """Return the slowest page and its seconds."""
    return max(((key, one[kind]) for key, one in found.items()), key=lambda one: one[1])


def report(found: dict[str, dict[str, dict[str, float]]], written: dict[str, Any]) -> None:
    """Print how long pages take, and how that grows with history."""
    for kind, limit in (("warm", WARM_S), ("cold", COLD_S)):
        key, value = slowest(found["large"], kind)
        floor = found["small"][key][kind]
        raw = {"slowest": key, "pages": {page: one[kind] for page, one in found["large"].items()}, "data": written}
        Figure(
            bench=f"pages_{kind}", value=value, unit="s", floor=floor, ratio=value / floor,
            target=f"≤ {limit:g} s, the slowest page", ok=value <= limit, raw=raw,
        ).print()  # fmt: skip
    for kind, name in (("warm", "pages_growth"), ("cpu", "pages_growth_cpu")):
        ratios = {key: one[kind] / max(0.01, found["small"][key][kind]) for key, one in found["large"].items()}
        worst = max(ratios, key=ratios.__getitem__)
        Figure(
            bench=name, value=found["large"][worst][kind], unit="s", floor=found["small"][worst][kind],
            ratio=ratios[worst], target=f"≤ {GROWTH:g} × that at 10 k rows, every page, warm",
            ok=ratios[worst] <= GROWTH, raw={"worst": worst, "ratios": {k: round(v, 3) for k, v in ratios.items()}},
        ).print()  # fmt: skip


def walks(folder: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Walk the pages of both installations in a browser, side by side; while Playwright has its loop, asyncio has none
    of its own."""
    with sync_playwright() as playwright, contextlib.ExitStack() as stack:
        program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=sandbox)
        found = walk(browser, {name: stack.enter_context(served(folder / name)) for name in sorted(SIZES)[::-1]})
        browser.close()
    return found


def gather(folder: Path) -> None:
    """Let many people look, and print what that costs."""
    with served(folder / "large") as at:
        before, after = heap(at)
        Figure(
            bench="pages_heap", value=after - before, unit="MiB", floor=None, ratio=None,
            target=f"< {HEAP_MB} MiB more after {CYCLES} sessions opened and closed", ok=after - before < HEAP_MB,
            raw={"before": round(before, 1), "after": round(after, 1)},
        ).print()  # fmt: skip
    with served(folder / "large", per_second=PER_SECOND) as at:
        time.sleep(LIVED_S)
        cores, refreshes = asyncio.run(crowd(at))
        wanted = SESSIONS * (WATCHED_S / REFRESH_S - 1)
        Figure(
            bench="pages_crowd", value=cores, unit="cores", floor=None, ratio=None,
            target=f"≤ {CORES:g} core, {SESSIONS} sessions on Live every {REFRESH_S} s",
            ok=cores <= CORES and refreshes >= wanted,
            raw={
                "refreshes": refreshes, "wanted": wanted,
                "cpu_ms": round(1e3 * cores * WATCHED_S / max(1, refreshes), 1),
            },
        ).print()  # fmt: skip


def main() -> None:
    """Make the data, walk the pages, let many people look; ``FAIRLEAD_BENCH_DATA`` keeps the data for another run."""
    kept = os.environ.get("FAIRLEAD_BENCH_DATA")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(kept or temporary)
        written = prepare(folder)
        report(walks(folder), written)
        gather(folder)


if __name__ == "__main__":
    main()
