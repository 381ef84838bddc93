"""The patrol: no check silences another, stretches grow while a word is the same, a former leader keeps nothing."""

from collections.abc import Callable

import pytest

from governance.checks.check import Check, Finding, Ground
from governance.patrol import Beat, patrol
from storage import verdicts
from storage.errors import Unavailable
from storage.records.clock import MINUTE, SECOND

from .conftest import NOW


def broken(_ground: Ground) -> Finding:
    raise ZeroDivisionError("a bug")


def away(_ground: Ground) -> Finding:
    raise Unavailable("the disk is away")


def spoils(ground: Ground) -> Finding:
    ground.read.first("no statement at all")
    return Finding(verdict="pass", sentence="Never said.")


def fine(_ground: Ground) -> Finding:
    return Finding(verdict="pass", sentence="All is well.")


def made(name: str, run: Callable[[Ground], Finding]) -> Check:
    return Check(name=name, title=name, question="?", look=run, every_s=60.0)


def test_one_failing_check_silences_no_other(beat: Beat) -> None:
    checks = tuple(made(f"{run.__name__}-{n}", run) for n in range(2) for run in (fine, broken, away, spoils, fine))
    checks = tuple(dict.fromkeys(made(check.name, check.look) for check in checks))
    checks = tuple({check.name: check for check in checks}.values())
    told = patrol(
        Beat(database=beat.database, home=beat.home, keys=beat.keys, anchors=beat.anchors, checks=checks), now=NOW
    )
    assert [each.check for each in told] == [check.name for check in checks]
    for each in told:
        good = each.check.startswith("fine")
        assert each.verdict == ("pass" if good else "unknown"), each
        assert good or each.sentence.startswith("It could not look")
    assert not any("ZeroDivision" in each.sentence or "a bug" in each.sentence for each in told)


def test_stretches_grow_while_the_word_is_the_same(beat: Beat) -> None:
    word = {"verdict": "pass"}

    def changing(_ground: Ground) -> Finding:
        return Finding(verdict=word["verdict"], sentence=f"It is {word['verdict']}.")  # type: ignore[arg-type]

    own = Beat(
        database=beat.database,
        home=beat.home,
        keys=beat.keys,
        anchors=beat.anchors,
        checks=(made("changing", changing),),
    )
    patrol(own, now=NOW)
    assert patrol(own, now=NOW + 10 * SECOND) == []
    patrol(own, now=NOW + MINUTE)
    word["verdict"] = "fail"
    (told,) = patrol(own, now=NOW + 2 * MINUTE)
    patrol(own, now=NOW + 2 * MINUTE + SECOND, every=True)
    assert told.since == told.seen == NOW + 2 * MINUTE
    with beat.database.read() as read:
        stretches = verdicts.history(read, "changing")
        assert verdicts.latest(read)["changing"] == stretches[0]
    assert [(one.verdict, one.since - NOW, one.seen - NOW) for one in stretches] == [
        ("fail", 2 * MINUTE, 2 * MINUTE + SECOND),
        ("pass", 0, MINUTE),
    ]


def test_a_former_leader_keeps_nothing(beat: Beat) -> None:
    def guard(_read: object) -> None:
        raise Unavailable("another instance leads")

    with pytest.raises(Unavailable):
        patrol(beat, now=NOW, guard=guard)
    with beat.database.read() as read:
        assert verdicts.latest(read) == {}
