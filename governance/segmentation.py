"""What is wrong with the rule of a segment, before the settings that hold it may be saved."""

from collections.abc import Iterator

from scoring_core.conditions import check
from scoring_core.declared import declared
from scoring_core.features.segments import COUNTED
from storage.errors import Problem
from storage.records.policies import Attribute, Installation
from storage.records.segments import SegmentRule

TAKEN = ("cohort.", "cluster.")


def segment_rule_problems(key: str, rule: SegmentRule, installation: Installation) -> Iterator[Problem]:
    """Yield what an author must mend: a name that cohorts have, a measure without its value, a name that nothing is
    counted under, a condition that asks for more than the person."""
    if key.startswith(TAKEN):
        yield Problem(field="", message=f"names that start with {' or '.join(TAKEN)} are given to what is found")
    if rule.measure == "condition":
        if not rule.when and rule.enabled:
            yield Problem(
                field="when", message="is the condition that makes a segment; an empty one holds for everyone"
            )
        yield from (
            Problem(field=f"when.{problem.field}", message=problem.message)
            for problem in check(rule.when, _of_person(installation))
        )
        return
    if rule.above is None and rule.below is None and rule.enabled:
        yield Problem(field="above", message=f"a rule that measures {rule.measure} needs above or below")
    if rule.measure == "share" and any(
        not 0.0 < value < 1.0 for value in (rule.above, rule.below) if value is not None
    ):
        yield Problem(field="above", message="a share lies between 0 and 1")
    if rule.measure == "weekly" and any(value <= 0.0 for value in (rule.above, rule.below) if value is not None):
        yield Problem(field="above", message="a rate is above zero")
    for field, names in (("of", rule.of), ("among", rule.among)):
        if set(names) - set(COUNTED):
            yield Problem(field=field, message=f"may name {', '.join(COUNTED)}")


def _of_person(installation: Installation) -> dict[str, Attribute]:
    """Return what the condition of an own segment may ask: the person alone, whom no request needs."""
    known = declared(installation)
    names = {name: known[name] for name in known if name.startswith("user.") and name != "user.recent"}
    return names | {f"user.{name}": Attribute(type="number") for name in COUNTED}
