"""Rules of segments: an author sees the mistake before saving."""

import pytest

from governance.validity import installation_problems
from storage.records.policies import Attribute, Installation
from storage.records.segments import STANDARD_SEGMENTS, SegmentRule

SHARE = SegmentRule(measure="share", of=("mobile",), among=("mobile", "desktop"), above=0.9)


def problems(**segments: SegmentRule) -> list[str]:
    settings = Installation(attributes={"style": Attribute(type="string")}, segments=segments)
    return [problem.field for problem in installation_problems(settings)]


def test_the_standard_ones_and_sound_ones_are_let_through() -> None:
    own = SegmentRule(when={"user.style": {"$in": ["linen"]}, "user.segments": {"$in": ["power"]}})
    assert problems(**STANDARD_SEGMENTS, linen=own, phone=SHARE) == []


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (SegmentRule(), "segments.x.when"),
        (SegmentRule(when={"mood": "calm"}), "segments.x.when.mood"),
        (SegmentRule(when={"user.clicks": {"$gt": "ten"}}), "segments.x.when.user.clicks.$gt"),
        (SegmentRule(measure="weekly", of=("sessions",)), "segments.x.above"),
        (SegmentRule(measure="weekly", of=("sessions",), below=0.0), "segments.x.above"),
        (SegmentRule(measure="share", of=("mobile",), among=("mobile",), above=1.5), "segments.x.above"),
        (SegmentRule(measure="share", of=("phones",), among=("mobile",), above=0.5), "segments.x.of"),
    ],
)
def test_what_cannot_work_is_refused(rule: SegmentRule, field: str) -> None:
    assert problems(x=rule) == [field]


def test_a_cohorts_name_is_taken() -> None:
    assert problems(**{"cohort.2026-11": SHARE}) == ["segments.cohort.2026-11"]
