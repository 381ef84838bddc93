"""Who is let in, and that nobody stays in who was let in once."""

from hashlib import sha256

import pytest

from scoring_core.edges.auth import Door
from scoring_core.edges.rest.problems import Refused
from storage.records.access import Principal, Scope

HEADER = b"Bearer fl_example"


def known(*scopes: Scope) -> dict[str, Principal]:
    principal = Principal(name="shop", role="service", scopes=frozenset(scopes), token_id="1")
    return {sha256(b"fl_example").hexdigest(): principal}


def status(door: Door, header: bytes, scope: Scope = Scope.DECIDE) -> int:
    with pytest.raises(Refused) as refused:
        door.admit(header, scope)
    return refused.value.status


def test_a_token_that_was_let_in_is_refused_once_it_is_revoked() -> None:
    door = Door()
    assert status(door, HEADER) == 503
    door.principals = known(Scope.DECIDE)
    assert [door.admit(HEADER, Scope.DECIDE).name for _ in range(2)] == ["shop", "shop"]
    door.principals = {}
    assert status(door, HEADER) == 401


def test_a_scope_that_was_taken_away_is_missing_at_once() -> None:
    door = Door()
    door.principals = known(Scope.DECIDE, Scope.METRICS_READ)
    door.admit(HEADER, Scope.METRICS_READ)
    door.principals = known(Scope.DECIDE)
    assert door.admit(HEADER, Scope.DECIDE).name == "shop"
    assert status(door, HEADER, Scope.METRICS_READ) == 403


def test_spellings_of_one_token_do_not_fill_the_memory() -> None:
    door = Door()
    door.principals = known(Scope.DECIDE)
    for spaces in range(2_000):
        assert door.admit(b"bearer " + b" " * spaces + b"fl_example", Scope.DECIDE).name == "shop"
    assert len(door._known) <= 1_024
    assert [status(door, header) for header in (b"", b"Basic fl_example", b"Bearer fl_other")] == [401, 401, 401]
