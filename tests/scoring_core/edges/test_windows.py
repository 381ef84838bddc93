"""Closed windows: increments that add up to the truth, whatever happened in between."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from scoring_core.edges.instruments import Counter, Gauge, Histogram
from scoring_core.edges.windows import KEEP_US, Windows
from storage.records.clock import SECOND
from storage.records.metrics import Window

LABELS = ("a", "b", "c")
rounds = st.lists(
    st.lists(st.tuples(st.sampled_from(LABELS), st.floats(0.0, 20.0, allow_nan=False)), max_size=8), max_size=20
)


def families() -> dict[str, Counter | Gauge | Histogram]:
    return {
        "n_total": Counter("n_total", "N.", ("label",)),
        "s_seconds": Histogram("s_seconds", "S.", (0.5, 1.0, 10.0), ("label",)),
        "g": Gauge("g", "G.", (), lambda: {(): float("nan")}),
    }


def made(boot: str, now: int = 0) -> tuple[Windows, dict]:
    kinds = families()
    return Windows(kinds, replica="r", boot_id=boot, now=now, monotonic_us=now), kinds


@given(rounds=rounds, boundaries=st.lists(st.booleans(), min_size=20, max_size=20))
def test_increments_add_up(rounds: list, boundaries: list) -> None:
    windows, kinds = made("b")
    now = 0
    for observations, closes in zip(rounds, boundaries, strict=False):
        for label, value in observations:
            kinds["n_total"].child(label).add()
            kinds["s_seconds"].child(label).observe(value)
        now += 10 * SECOND
        if closes:
            windows.close(now, now)
    windows.close(now, now)
    truth = [label for observations in rounds for label, _ in observations]
    for label in LABELS:
        grown = sum(
            each.value for window in windows.ring for each in window.counters if each.labels == {"label": label}
        )
        spread = sum(
            sum(each.counts) for window in windows.ring for each in window.histograms if each.labels == {"label": label}
        )
        assert grown == spread == truth.count(label)
    assert [window.seq for window in windows.ring] == list(range(len(windows.ring)))
    assert all(not window.gauges for window in windows.ring)
    assert all(each.value > 0 for window in windows.ring for each in window.counters)


def test_a_graceful_stop_hands_its_windows_on(tmp_path: Path) -> None:
    path = tmp_path / "windows" / "r.msgpack"
    first, _ = made("one")
    for n in range(3):
        first.close((n + 1) * 10 * SECOND, (n + 1) * 10 * SECOND)
    first.save(path)
    second, _ = made("two", 40 * SECOND)
    second.load(path, 40 * SECOND)
    second.close(50 * SECOND, 50 * SECOND)

    def names(found: list[Window]) -> list[tuple[str, int]]:
        return [(window.boot_id, window.seq) for window in found]

    everything = [("one", 0), ("one", 1), ("one", 2), ("two", 0)]
    assert names(second.after("", -1)) == everything
    assert names(second.after("one", 1)) == everything[2:]
    assert names(second.after("two", -1)) == everything[3:]
    assert names(second.after("two", 0)) == []
    assert names(second.after("nobody", 7)) == everything


def test_what_is_older_than_an_hour_is_gone(tmp_path: Path) -> None:
    windows, _ = made("b")
    windows.close(10 * SECOND, 10 * SECOND)
    windows.close(KEEP_US + 20 * SECOND, KEEP_US + 20 * SECOND)
    assert [window.seq for window in windows.ring] == [1]
    windows.save(tmp_path / "w.msgpack")
    late, _ = made("c", 10 * KEEP_US)
    late.load(tmp_path / "w.msgpack", 10 * KEEP_US)
    assert not late.ring


def test_a_broken_file_is_none(tmp_path: Path) -> None:
    path = tmp_path / "w.msgpack"
    path.write_bytes(b"\xc1broken")
    windows, _ = made("b")
    windows.load(path, 0)
    windows.load(tmp_path / "absent", 0)
    assert not windows.ring
