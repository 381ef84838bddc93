"""Check a history of consent operations and decisions: pure, so that the checker itself can be tested."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call with its interval by one monotonic clock, in seconds.

    ``acknowledged`` is false for a consent call that failed or was not confirmed: it may or may not have happened.
    ``personalized`` tells, for a decision, whether anything but the default experience was served.
    """

    kind: Literal["opt_out", "opt_in", "decide"]
    subject: str
    start: float
    end: float
    acknowledged: bool = True
    personalized: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the checker saw; ``near`` counts decisions that started within a second after an acknowledged opt-out."""

    operations: int
    opt_outs: int
    near: int
    bound: int
    violations: tuple[Operation, ...]


def check(history: Iterable[Operation]) -> Report:
    """Find decisions that were personalized though an acknowledged opt-out bound them.

    A decision is bound by an opt-out that was acknowledged before it started, unless an opt-in that was not over
    before that opt-out began was called before the decision ended (the order of the two is then open). An opt-in that
    was not acknowledged is never over: its transaction may lie in a network that comes back later.
    """
    by_subject: dict[str, list[Operation]] = defaultdict(list)
    operations = 0
    for operation in history:
        by_subject[operation.subject].append(operation)
        operations += 1
    opt_outs = near = bound = 0
    violations: list[Operation] = []
    for calls in by_subject.values():
        outs = [call for call in calls if call.kind == "opt_out" and call.acknowledged]
        ins = [call for call in calls if call.kind == "opt_in"]
        opt_outs += len(outs)
        for decision in (call for call in calls if call.kind == "decide"):
            binding = [
                out
                for out in outs
                if out.end < decision.start
                and not any(
                    (back.end > out.start or not back.acknowledged) and back.start < decision.end for back in ins
                )
            ]
            if not binding:
                continue
            bound += 1
            near += any(decision.start - out.end <= 1.0 for out in binding)
            if decision.personalized:
                violations.append(decision)
    return Report(operations=operations, opt_outs=opt_outs, near=near, bound=bound, violations=tuple(violations))
