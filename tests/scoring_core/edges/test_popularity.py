"""Item features by epochs: what is rebuilt from the log equals what decisions saw."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring_core.edges.popularity import PRIOR_IMPRESSIONS, Popularity
from scoring_core.epochs import rebuilt
from storage.records.clock import DAY, HOUR, MINUTE, SECOND
from storage.records.events import ItemEpoch

NOW = 1_700_000_000 * SECOND
ITEMS = 6
steps = st.lists(
    st.tuples(
        st.lists(
            st.tuples(
                st.integers(0, ITEMS + 2),
                st.sampled_from(["impression", "click", "buy"]),
                st.sampled_from([0.0, 1.0, 3.0, -1.0]),
                st.integers(-2 * DAY, 5 * MINUTE),
            ),
            max_size=6,
        ),
        st.integers(0, 3 * HOUR),
    ),
    min_size=1,
    max_size=80,
)


@given(steps=steps)
def test_every_epoch_is_rebuilt_exactly_from_its_keyframe(steps: list) -> None:
    popularity, now, epochs = Popularity(ITEMS, now=NOW), NOW, []
    for events, passed in steps:
        for ordinal, kind, weight, late in events:
            popularity.note(ordinal, kind, weight, now + late)
        now += passed
        if not popularity.waiting():
            continue
        epoch, features = popularity.publish(now)
        epochs.append(epoch)
        assert features.epoch == epoch.epoch == len(epochs)
        last = max(place for place, each in enumerate(epochs) if each.keyframe)
        again = rebuilt(len(features.values), epochs[last:])
        assert again.values.tobytes() == features.values.tobytes()
        assert np.isfinite(features.values).all()
        assert (features.values >= 0.0).all()
    if epochs:
        assert epochs[0].keyframe


def test_what_was_published_is_never_written_to_again() -> None:
    popularity = Popularity(2, now=NOW)
    popularity.note(0, "click", 1.0, NOW)
    _, features = popularity.publish(NOW)
    before = features.values.copy()
    popularity.note(0, "click", 1.0, NOW)
    popularity.publish(NOW + SECOND)
    assert (features.values == before).all()


def test_popularity_fades_by_half_in_a_day() -> None:
    popularity = Popularity(2, now=NOW)
    popularity.note(0, "click", 1.0, NOW)
    popularity.publish(NOW)
    popularity.note(1, "click", 1.0, NOW + DAY)
    _, features = popularity.publish(NOW + DAY)
    assert features.values[:, 2].tolist() == [0.5, 1.0]


def test_the_order_of_events_does_not_matter() -> None:
    events = [(0, "click", 1.0, NOW - HOUR), (1, "click", 2.0, NOW), (0, "impression", 0.0, NOW + MINUTE)]
    one, two = Popularity(2, now=NOW), Popularity(2, now=NOW)
    for event in events:
        one.note(*event)
    for event in reversed(events):
        two.note(*event)
    assert (one.publish(NOW)[1].values == two.publish(NOW)[1].values).all()


def test_a_click_rate_needs_more_than_one_lucky_click() -> None:
    popularity = Popularity(2, now=NOW)
    for _ in range(1_000):
        popularity.note(0, "impression", 0.0, NOW)
    for _ in range(100):
        popularity.note(0, "click", 1.0, NOW)
    popularity.note(1, "impression", 0.0, NOW)
    popularity.note(1, "click", 1.0, NOW)
    _, features = popularity.publish(NOW)
    overall = 101 / 1_001
    assert features.values[1, 3] == pytest.approx((1 + PRIOR_IMPRESSIONS * overall) / (1 + PRIOR_IMPRESSIONS))
    assert features.values[1, 3] < 0.12


def test_trend_is_above_one_for_what_is_hot_now() -> None:
    popularity = Popularity(2, now=NOW)
    for minute in range(0, 24 * 60, 10):
        popularity.note(0, "click", 1.0, NOW - minute * MINUTE)
    for minute in range(10):
        popularity.note(1, "click", 1.0, NOW - minute * MINUTE)
    _, features = popularity.publish(NOW)
    steady, hot = features.values[:, 4]
    assert 0.5 < steady < 3.0
    assert hot > 10.0


def test_a_restart_continues_from_rows_alone() -> None:
    one = Popularity(3, now=NOW)
    epochs = []
    for n in range(5):
        one.note(n % 2, "click", 1.0, NOW + n * SECOND)
        epochs.append(one.publish(NOW + n * SECOND)[0])
    two = Popularity(0, now=NOW + MINUTE)
    two.restore(epochs)
    for each in (one, two):
        each.keyframe_next()
        each.note(2, "click", 1.0, NOW + MINUTE)
    left, right = one.publish(NOW + MINUTE), two.publish(NOW + MINUTE)
    assert left[0].epoch == right[0].epoch
    assert np.allclose(left[1].values, right[1].values, rtol=1e-12)


def test_rows_of_items_that_are_gone_are_left_out() -> None:
    epoch = ItemEpoch(epoch=1, at=NOW, keyframe=True, rows={5: (1.0, 0.0, 0.0, 0.0, 0.0)})
    assert rebuilt(2, [epoch]).values.sum() == 0.0
