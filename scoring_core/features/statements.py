"""What a person states, checked against what the installation declares, and as hot stores take it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scoring_core.candidates.personal import spelled
from scoring_core.features.interests import token
from storage.errors import Invalid, Problem
from storage.records.clock import SECOND
from storage.records.events import Scalar
from storage.records.policies import Attribute, Installation
from storage.records.profiles import PersonChange, Profile, Said
from storage.records.subjects import SOURCES, StatedInterest, Statement

MOST_STATED = 20
"""How many interests a person may state: as many as a hot store keeps of one."""
MOST_LISTED, LONGEST = 50, 128

_KINDS: Mapping[str, tuple[type, ...]] = {"string": (str,), "number": (int, float), "boolean": (bool,)}
_SAID = {"string": "must be text", "number": "must be a number", "boolean": "must be true or false"}


def edited(
    profile: Profile,
    *,
    attributes: Mapping[str, Any],
    interests: Mapping[str, Any],
    installation: Installation,
    now: int,
) -> Profile:
    """Return the profile with some attributes and interests stated anew; None takes one back.

    Raises
    ------
    Invalid
        If an attribute is not declared or of another type, or an interest is not a number from −1 to 1 under a name
        like ``colour=red`` or ``tag=new``.
    """
    problems = [*_attribute_problems(attributes, installation.attributes), *_interest_problems(interests)]
    told = dict(profile.attributes)
    known = dict(profile.interests)
    if not problems:
        told = _with(told, {name: _flat(value) for name, value in attributes.items()})
        said = {name: None if value is None else Said(value=float(value), at=now) for name, value in interests.items()}
        known = _with(known, said)
        if len(known) > MOST_STATED:
            problems = [Problem(field="interests", message=f"state at most {MOST_STATED}; take some back with null")]
    if problems:
        raise Invalid(f"{problems[0].field}: {problems[0].message}", problems=tuple(problems))
    return Profile(attributes=told, interests=known)


def quizzed(profile: Profile, answers: Sequence[str], *, installation: Installation, now: int) -> Profile:
    """Return the profile after the style quiz: the mean of what the answers say of each interest, in the place of an
    earlier quiz; what was stated in words stays.

    Raises
    ------
    Invalid
        If an answer is none of the quiz.
    """
    quiz = installation.quiz
    problems = tuple(
        Problem(field=f"answers.{place}", message="is no answer of the style quiz")
        for place, answer in enumerate(answers)
        if answer not in quiz
    )
    if problems:
        raise Invalid(f"{problems[0].field}: {problems[0].message}", problems=problems)
    told: dict[str, list[float]] = {}
    for answer in dict.fromkeys(answers):
        for name, value in quiz[answer].items():
            told.setdefault(name, []).append(value)
    known = {name: said for name, said in profile.interests.items() if said.source != "quiz"}
    strongest = sorted(
        ((name, math.fsum(values) / len(values)) for name, values in told.items() if name not in known),
        key=lambda each: (-abs(each[1]), each[0]),
    )
    for name, value in strongest[: MOST_STATED - len(known)]:
        known[name] = Said(value=min(max(value, -1.0), 1.0), at=now, source="quiz")
    return Profile(attributes=profile.attributes, interests=known)


def joined(visitor: Profile, account: Profile) -> Profile:
    """Return what an account stated, with what the visitor stated before turning out to be it: the account's own word
    holds, words before answers of the quiz, then the strongest."""
    union = {**visitor.interests, **account.interests}
    own = account.interests
    order = sorted(
        union, key=lambda name: (name not in own, union[name].source == "quiz", -abs(union[name].value), name)
    )
    return Profile(
        attributes={**visitor.attributes, **account.attributes},
        interests={name: union[name] for name in order[:MOST_STATED]},
    )


def statement(change: PersonChange) -> Statement:
    """Return what was stated as hot stores take it."""
    profile = change.profile
    return Statement(
        subject=change.subject,
        number=change.number,
        at=change.at,
        interests=tuple(
            StatedInterest(token=token(name), value=said.value, at=said.at // SECOND, source=SOURCES.index(said.source))
            for name, said in sorted(profile.interests.items())
        ),
        attributes=dict(sorted(profile.attributes.items())),
    )


def _with(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**before, **changes}.items() if value is not None}


def _flat(value: Any) -> Scalar | None:
    """Return a list as its sorted values in one string; nothing for an empty one."""
    if not isinstance(value, list):
        return value  # type: ignore[no-any-return]  # checked against the declared type
    return "|".join(sorted({spelled(each) for each in value})) or None


def _attribute_problems(stated: Mapping[str, Any], declared: Mapping[str, Attribute]) -> Iterator[Problem]:
    for place, (name, value) in enumerate(stated.items()):
        attribute = declared.get(name)
        if attribute is None:
            yield Problem(
                field=f"attributes.{place + 1}", message="is not declared: declare it under attributes in the settings"
            )
        elif value is not None:
            wrong = _wrong(value, attribute.type)
            if wrong:
                yield Problem(field=f"attributes.{name}", message=wrong)


def _wrong(value: Any, kind: str) -> str:
    """Say what is wrong with a value of a declared type; nothing where nothing is."""
    if kind == "list":
        if not isinstance(value, list) or len(value) > MOST_LISTED:
            return f"must be a list of at most {MOST_LISTED} values"
        return next((wrong for each in value if (wrong := _wrong(each, "any"))), "")
    if kind == "any":
        kind = "boolean" if isinstance(value, bool) else "number" if isinstance(value, int | float) else "string"
    if not isinstance(value, _KINDS[kind]) or (kind == "number" and isinstance(value, bool)):
        return _SAID[kind]
    if isinstance(value, str) and (len(value) > LONGEST or "|" in value):
        return f"must have at most {LONGEST} characters and no |"
    return "" if not isinstance(value, float) or math.isfinite(value) else "must be finite"


def _interest_problems(stated: Mapping[str, Any]) -> Iterator[Problem]:
    for place, (name, value) in enumerate(stated.items()):
        field = f"interests.{place + 1}"
        key, _, rest = name.partition("=")
        if not key or not rest or len(name) > 2 * LONGEST:
            yield Problem(field=field, message="is named like colour=red or tag=new")
        elif value is not None and not (
            isinstance(value, int | float) and not isinstance(value, bool) and -1.0 <= value <= 1.0
        ):
            yield Problem(field=field, message="must be a number from -1 (not at all) to 1 (very much), or null")
