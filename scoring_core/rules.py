"""Rules: when something holds, pin, boost or exclude items, or set a value of the app's configuration."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring_core.circumstances import Circumstances
from scoring_core.experiments.hashing import bucket
from scoring_core.features.table import Ordinals
from scoring_core.matching import Matcher
from scoring_core.schedules import Clocks, Schedule
from scoring_core.scorers.protocol import Floats
from scoring_core.sweep import WORD, Words, sweep
from storage.records.events import Scalar
from storage.records.rules import Rule, RuleArm

Mask = NDArray[np.bool_] | None
Flags = NDArray[np.bool_]

SMALLEST_FACTOR = 1e-9
NO_ARM = "default"
"""Who is in none of a rule's arms gets the rule as it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRule:
    """A rule, which items it is about (None: all), and its schedule where it has one."""

    rule: Rule
    items: Mask
    schedule: Schedule | None = None

    @property
    def special(self) -> bool:
        """Whether more than its condition decides if it holds."""
        rule = self.rule
        return bool(rule.campaigns or self.schedule is not None or rule.group or rule.arms)

    def arm(self, subject: str) -> RuleArm | None:
        """Return the arm that a person is in, by hash; None where they are in none."""
        point = bucket(f"rule/{self.rule.key}", subject) or 0.0
        end = 0.0
        for arm in self.rule.arms:
            end += arm.share
            if point < end:
                return arm
        return None


@dataclass(frozen=True, slots=True)
class Active:
    """A rule that holds, and the arm of it that the person is in."""

    planned: PlannedRule
    arm: RuleArm | None = None

    @property
    def factor(self) -> float:
        """What a boost multiplies by."""
        given = self.arm.factor if self.arm is not None else None
        return max(self.planned.rule.factor if given is None else given, SMALLEST_FACTOR)

    @property
    def slot(self) -> int:
        """Where a pin goes, 1-based."""
        given = self.arm.slot if self.arm is not None else None
        return self.planned.rule.slot if given is None else given

    @property
    def values(self) -> Mapping[str, Scalar]:
        """What is set."""
        return {**self.planned.rule.values, **(self.arm.values if self.arm is not None else {})}


class Holding(msgspec.Struct, frozen=True):
    """The bits of the rules that hold, the arm that the person is in by ``rule/KEY``, and that arm by the rule's
    place."""

    found: int
    arms: Mapping[str, str] = {}
    chosen: Mapping[int, RuleArm] = {}


class Ruled(msgspec.Struct, frozen=True):
    """What rules leave: ``values`` per row, which rows are ``kept`` (None: all), the row pinned at each slot (0-based),
    ``applied``: ``key:action`` of each that did something and ``key:pin:WHY`` of each pin that found no place, and the
    arms of the rules that hold. ``lifting`` are, per row, the bits of the boosts that touched it, of the rules whose
    keys are ``keys``; ``pinning`` maps a row to the rule that pinned it."""

    values: Floats
    kept: Flags | None = None
    pins: Mapping[int, int] = {}
    applied: tuple[str, ...] = ()
    arms: Mapping[str, str] = {}
    lifting: Words | None = None
    keys: tuple[str, ...] = ()
    pinning: Mapping[int, str] = {}

    def touching(self, row: int) -> tuple[str, ...]:
        """Return the keys of the rules that touched a row."""
        lifted = () if self.lifting is None else [self.keys[place] for place in _places(self.lifting[row])]
        return (*lifted, self.pinning[row]) if row in self.pinning else tuple(lifted)


class Ruleset:
    """The rules of a policy version in their order, made ready to be asked together.

    Each rule is one bit: of the conditions that hold, and, per item of the catalogue, of the rules that are about it
    (``WORD`` rules to a word).
    """

    def __init__(self, rules: Sequence[PlannedRule], *, items: int) -> None:
        self.rules = tuple(rules)
        self.keys = tuple(planned.rule.key for planned in rules)
        self._matcher = Matcher([planned.rule.when for planned in rules])
        self._special = _bits(planned.special for planned in rules)
        self._excluding, self._boosting, self._pinning = (
            _bits(planned.rule.action == action for planned in rules) for action in ("exclude", "boost", "pin")
        )
        self._did = tuple(f"{planned.rule.key}:{planned.rule.action}" for planned in rules)
        self._about = _about(self.rules, items)
        self._factors = np.ones(WORD * self._about.shape[1])
        self._factors[: len(rules)] = [max(planned.rule.factor, SMALLEST_FACTOR) for planned in rules]

    def __iter__(self) -> Iterator[PlannedRule]:
        """Return the rules in their order."""
        return iter(self.rules)

    def __len__(self) -> int:
        """Return how many rules there are."""
        return len(self.rules)

    def __getitem__(self, place: int) -> PlannedRule:
        """Return one rule."""
        return self.rules[place]

    def holding(self, *, asking: Circumstances, subject: str, campaign: str | None, now: int) -> Holding:
        """Return the rules that hold.

        Of the rules that share a group the first that holds applies. One whose arm is off leaves its group to the next,
        so that ``off`` is what would be without the rule.
        """
        found = self._matcher.holding(asking) if self.rules else 0
        special = found & self._special
        if not special:
            return Holding(found)
        clocks: Clocks = {}
        taken: set[str] = set()
        arms: dict[str, str] = {}
        chosen: dict[int, RuleArm] = {}
        for place in _set_bits(special):
            planned = self.rules[place]
            rule = planned.rule
            stays = (
                (not rule.campaigns or campaign in rule.campaigns)
                and (planned.schedule is None or planned.schedule.open(now, clocks))
                and rule.group not in taken
            )
            if stays and rule.arms:
                arm = planned.arm(subject)
                arms[f"rule/{rule.key}"] = NO_ARM if arm is None else arm.key
                if arm is not None:
                    stays = not arm.off
                    chosen[place] = arm
            if not stays:
                found ^= 1 << place
            elif rule.group:
                taken.add(rule.group)
        return Holding(found, arms, chosen)

    def active(self, holding: Holding) -> list[Active]:
        """Return the rules that hold, in their order."""
        return [Active(self.rules[place], holding.chosen.get(place)) for place in _set_bits(holding.found)]

    def apply(
        self, holding: Holding, values: Floats, *, ordinals: Ordinals, slots: int, allowed: Flags | None = None
    ) -> Ruled:
        """Apply the rules that hold: exclusions, then boosts, then pins, each in the order of the rules; no pin takes a
        row that is not ``allowed`` (None: all are).

        Boosts multiply together; one multiplies a score that is not negative and divides one that is, so that a factor
        above one always lifts. A pin takes the best item that matches and is not pinned yet; the first rule to claim a
        slot has it.
        """
        if not holding.found:
            return Ruled(values, arms=holding.arms)
        width = self._about.shape[1]
        swept, kept = values.astype(np.float64), np.empty(len(ordinals), dtype=np.bool_)
        lifting, told = np.zeros((len(ordinals), width), dtype=np.uint64), np.zeros((2, width), dtype=np.uint64)
        sweep(
            self._about,
            ordinals,
            _words(holding.found & self._excluding, width),
            _words(holding.found & self._boosting, width),
            self._factored(holding),
            swept,
            lifting,
            kept,
            told,
        )
        excluded, lifted = _places(told[0]), _places(told[1])
        did = {place: self._did[place] for place in (*excluded, *lifted)}
        pins: dict[int, int] = {}
        pinning: dict[int, str] = {}
        pinnable = kept if allowed is None else kept & allowed
        for place in _set_bits(holding.found & self._pinning):
            matching = (self._about[ordinals, place // WORD] >> np.uint64(place % WORD) & np.uint64(1)).astype(np.bool_)
            slot = Active(self.rules[place], holding.chosen.get(place)).slot - 1
            row, why = _pin(pins, matching & pinnable, swept, slot=slot, slots=slots)
            did[place] = f"{self._did[place]}{why}"
            if row is not None:
                pinning[row] = self.keys[place]
        return Ruled(
            swept if lifted else values,
            kept if excluded else None,
            pins,
            tuple(did[place] for place in sorted(did)),
            holding.arms,
            lifting if lifted else None,
            self.keys,
            pinning,
        )

    def _factored(self, holding: Holding) -> Floats:
        """Return what each rule multiplies by, for the arms that a person is in."""
        if not holding.chosen:
            return self._factors
        factors = self._factors.copy()
        for place, arm in holding.chosen.items():
            factors[place] = Active(self.rules[place], arm).factor
        return factors


def _about(rules: Sequence[PlannedRule], items: int) -> Words:
    """Return, per item, the bits of the rules that are about it, ``WORD`` rules to a word."""
    words = np.zeros((items, max(1, -(-len(rules) // WORD))), dtype=np.uint64)
    for place, planned in enumerate(rules):
        bit = np.uint64(1 << place % WORD)
        mask = slice(None) if planned.items is None else planned.items
        words[mask, place // WORD] |= bit
    return words


def _bits(flags: Iterable[bool]) -> int:
    return sum(1 << place for place, flag in enumerate(flags) if flag)


def _set_bits(bits: int) -> Iterator[int]:
    while bits:
        yield (bits & -bits).bit_length() - 1
        bits &= bits - 1


def _places(words: Words) -> list[int]:
    """Return the places of the set bits of one row of words."""
    return [place + WORD * word for word, bits in enumerate(words.tolist()) for place in _set_bits(bits)]


def _words(bits: int, count: int) -> Words:
    return np.frombuffer(bits.to_bytes(8 * count, "little"), "<u8")


def _pin(pins: dict[int, int], matching: Flags, values: Floats, *, slot: int, slots: int) -> tuple[int | None, str]:
    """Claim ``slot`` for the best row that is not pinned yet; return that row, or None and why there is none."""
    if not 0 <= slot < slots:
        return None, ":beyond_slots"
    if slot in pins:
        return None, ":slot_taken"
    free = matching.copy()
    free[list(pins.values())] = False
    (rows,) = free.nonzero()
    if not rows.size:
        return None, ":no_match"
    best = int(rows[int(np.argmax(values[rows]))])
    pins[slot] = best
    return best, ""
