from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.history import Operation, check

OUT = Operation(kind="opt_out", subject="s", start=1.0, end=2.0)
LATER = Operation(kind="decide", subject="s", start=2.5, end=2.6, personalized=True)


def test_a_planted_violation_is_found():
    assert check([OUT, LATER]).violations == (LATER,)


def test_a_decision_that_overlaps_the_acknowledgement_is_not_bound():
    assert check([OUT, replace(LATER, start=1.9)]).bound == 0


def test_another_subjects_opt_out_binds_nobody():
    assert check([OUT, replace(LATER, subject="t")]).bound == 0


def test_an_unacknowledged_opt_out_binds_nobody():
    assert check([replace(OUT, acknowledged=False), LATER]).bound == 0


def test_an_opt_in_between_frees_the_decision():
    back = Operation(kind="opt_in", subject="s", start=2.1, end=2.2)
    assert check([OUT, back, LATER]).violations == ()


def test_an_opt_in_that_was_over_before_the_opt_out_frees_nobody():
    back = Operation(kind="opt_in", subject="s", start=0.1, end=0.9)
    assert check([back, OUT, LATER]).violations == (LATER,)


def test_an_opt_in_that_nobody_confirmed_may_land_at_any_time():
    back = Operation(kind="opt_in", subject="s", start=0.1, end=0.9, acknowledged=False)
    assert check([back, OUT, LATER]).violations == ()
    assert check([replace(back, start=3.0, end=3.1), OUT, LATER]).violations == (LATER,)


@given(st.lists(st.tuples(st.booleans(), st.floats(0.1, 1.0), st.floats(0.0, 0.5)), min_size=1, max_size=30))
def test_a_sequential_honest_history_is_clean_and_a_dishonest_one_is_not(steps):
    history, clock, denied = [], 0.0, False
    for out, duration, pause in steps:
        denied = out
        history.append(Operation(kind="opt_out" if out else "opt_in", subject="s", start=clock, end=clock + duration))
        clock += duration + pause + 0.01
        history.append(Operation(kind="decide", subject="s", start=clock, end=clock + 0.01, personalized=not denied))
        clock += 0.02
    assert check(history).violations == ()
    lie = Operation(kind="decide", subject="s", start=clock, end=clock + 0.01, personalized=True)
    assert bool(check([*history, lie]).violations) == denied
