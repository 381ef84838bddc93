"""The comparison finds what it must, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.accounts import holes, not_at_the_end, settle

IDS = st.lists(st.integers(0, 200).map(str), unique=True, min_size=1)


@given(IDS, st.data())
def test_an_honest_journal_balances(sent, data):
    stored = data.draw(st.permutations(sent))
    assert settle(sent=sent, acknowledged=sent[: len(sent) // 2], stored=stored).balanced


@given(IDS, st.data())
def test_what_was_lost_stored_twice_or_made_up_is_found(sent, data):
    victim = data.draw(st.sampled_from(sent))
    assert settle(sent=sent, acknowledged=sent, stored=[e for e in sent if e != victim]).lost == (victim,)
    assert settle(sent=sent, acknowledged=sent, stored=[*sent, victim]).twice == (victim,)
    assert settle(sent=sent, acknowledged=sent, stored=[*sent, "made up"]).strange == ("made up",)


def test_what_was_sent_and_not_acknowledged_may_be_stored_or_not():
    assert settle(sent=["a", "b"], acknowledged=[], stored=["b"]).balanced


def test_holes_are_named_by_what_stands_before_them():
    assert holes([1, 2, 3]) == ()
    assert holes([1, 3, 3, 4]) == (1, 3)
    assert holes([2]) == (0,)


def test_only_the_newest_may_be_missing():
    assert not_at_the_end(["a", "b", "c"], {"a", "b"}) == ()
    assert not_at_the_end(["a", "b", "c"], {"a", "c"}) == ("b",)
    assert not_at_the_end(["a", "b"], set()) == ()
