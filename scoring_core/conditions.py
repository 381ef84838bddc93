"""One language for who and when: GrowthBook's conditions, compiled once, checked for their author."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from scoring_core.operators import OPERATORS, SCALAR_OPERATORS, same
from storage.errors import Problem
from storage.records.policies import Attribute

Predicate = Callable[[Any], bool]
Groups = Mapping[str, Sequence[Any]]

PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list,),
}
LONGEST_PATTERN = 200
NESTED_REPEAT = re.compile(r"\([^()]*[+*}][^()]*\)[+*{]")
DEEPEST = 20


def compile_condition(
    document: Mapping[str, Any], attributes: Mapping[str, Attribute] | None = None, *, groups: Groups | None = None
) -> Predicate:
    """Return the condition as a function of attributes; an empty condition holds for everyone.

    ``attributes`` are the declared ones: with them, a condition that ``check`` objects to holds for nobody. ``groups``
    are the lists that ``$inGroup`` names.

    >>> adults = compile_condition({"age": {"$gte": 18}, "country": {"$in": ["DE", "AT"]}})
    >>> adults({"age": 20, "country": "AT"}), adults({"age": 20})
    (True, False)
    """
    if attributes is not None and check(document, attributes):
        return _nobody
    return _whole(document, groups or {})


def check(document: Mapping[str, Any], attributes: Mapping[str, Attribute] | None = None) -> tuple[Problem, ...]:
    """Return what is wrong with a condition: unknown operators, operands of the wrong kind, patterns that do not
    compile, and, given the declared attributes, names and types that do not fit.

    >>> [p.field for p in check({"age": {"$gt": "x"}, "town": "Ulm"}, {"age": Attribute(type="number")})]
    ['age.$gt', 'town']
    """
    return tuple(_problems(document, attributes, path="", depth=0))


def names(document: Any) -> frozenset[str]:
    """Return the attributes that a condition asks for.

    >>> sorted(names({"age": {"$gt": 3}, "$or": [{"user.clicks": 1}, {"$not": {"town": "Ulm"}}]}))
    ['age', 'town', 'user.clicks']
    """
    if not isinstance(document, Mapping):
        return frozenset()
    found: set[str] = set()
    for name, operand in document.items():
        if name in ("$and", "$or", "$nor"):
            found.update(*map(names, operand if isinstance(operand, list) else ()))
        elif name == "$not":
            found |= names(operand)
        else:
            found.add(name)
    return frozenset(found)


def _nobody(_: Any) -> bool:
    return False


def _everybody(_: Any) -> bool:
    return True


def _whole(document: Any, groups: Groups) -> Predicate:
    if not isinstance(document, Mapping):
        return _nobody
    parts = [_part(name, operand, groups) for name, operand in document.items()]
    if not parts:
        return _everybody
    if len(parts) == 1:
        return parts[0]
    return lambda attributes: all(part(attributes) for part in parts)


def _part(name: str, operand: Any, groups: Groups) -> Predicate:
    match name:
        case "$and" | "$or" | "$nor":
            return _joined(name, [_whole(each, groups) for each in operand]) if isinstance(operand, list) else _nobody
        case "$not":
            inner = _whole(operand, groups)
            return lambda attributes: not inner(attributes)
        case _:
            return _about(name, _value(operand, groups))


def _joined(name: str, parts: list[Predicate]) -> Predicate:
    if name == "$and":
        return lambda attributes: all(part(attributes) for part in parts)
    if not parts:
        return _everybody if name == "$or" else _nobody
    if name == "$or":
        return lambda attributes: any(part(attributes) for part in parts)
    return lambda attributes: not any(part(attributes) for part in parts)


def _about(path: str, holds: Predicate) -> Predicate:
    steps = path.split(".")
    if len(steps) == 1:
        return lambda attributes: holds(attributes.get(path) if isinstance(attributes, Mapping) else None)

    def nested(attributes: Any) -> bool:
        for step in steps:
            if not isinstance(attributes, Mapping):
                return holds(None)
            attributes = attributes.get(step)
        return holds(attributes)

    return nested


def _value(operand: Any, groups: Groups) -> Predicate:
    """Compile what a value must satisfy: an object of operators, or a plain value that it must equal."""
    if not _is_operators(operand):
        return lambda value: same(value, operand)
    parts = [_operator(name, argument, groups) for name, argument in operand.items()]
    if len(parts) == 1:
        return parts[0]
    return lambda value: all(part(value) for part in parts)


def _operator(name: str, argument: Any, groups: Groups) -> Predicate:
    match name:
        case "$not":
            inner = _value(argument, groups)
            return lambda value: not inner(value)
        case "$size" | "$elemMatch" | "$all":
            return _of_list(name, argument, groups)
        case "$inGroup" | "$notInGroup":
            members = list(groups.get(argument, ())) if isinstance(argument, str) else []
            return OPERATORS["$in" if name == "$inGroup" else "$nin"](members)
        case _:
            return OPERATORS[name](argument) if name in OPERATORS else _nobody


def _of_list(name: str, argument: Any, groups: Groups) -> Predicate:
    if name == "$all":
        every = [_value(each, groups) for each in argument] if isinstance(argument, list) else [_nobody]
        return lambda value: isinstance(value, list) and all(any(map(one, value)) for one in every)
    if name == "$size":
        count = _value(argument, groups)
        return lambda value: isinstance(value, list) and count(len(value))
    each = _value(argument, groups) if _is_operators(argument) else _whole(argument, groups)
    return lambda value: isinstance(value, list) and any(map(each, value))


def _is_operators(operand: Any) -> bool:
    return isinstance(operand, Mapping) and bool(operand) and all(name.startswith("$") for name in operand)


def _problems(document: Any, attributes: Mapping[str, Attribute] | None, *, path: str, depth: int) -> Iterator[Problem]:
    if not isinstance(document, Mapping):
        yield Problem(field=path or "condition", message="must be an object of attributes and operators")
        return
    if depth > DEEPEST:
        yield Problem(field=path, message=f"is nested deeper than {DEEPEST} levels; flatten it")
        return
    for name, operand in document.items():
        here = f"{path}.{name}" if path else name
        if name in ("$and", "$or", "$nor"):
            if not isinstance(operand, list):
                yield Problem(field=here, message="must be a list of conditions")
                continue
            for number, each in enumerate(operand):
                yield from _problems(each, attributes, path=f"{here}.{number}", depth=depth + 1)
        elif name == "$not":
            yield from _problems(operand, attributes, path=here, depth=depth + 1)
        elif name.startswith("$"):
            yield Problem(field=here, message="is no operator here; use $and, $or, $nor or $not, or name an attribute")
        elif attributes is not None and name not in attributes:
            yield Problem(field=here, message=_undeclared(name, attributes))
        else:
            kind = None if attributes is None or attributes[name].type == "any" else attributes[name].type
            yield from _operand_problems(operand, kind, path=here, depth=depth + 1)


def _undeclared(name: str, attributes: Mapping[str, Attribute]) -> str:
    near = get_close_matches(name, attributes, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    return f"is not a declared attribute{meant}; declared: {', '.join(sorted(attributes)) or 'none'}"


def _operand_problems(operand: Any, kind: str | None, *, path: str, depth: int) -> Iterator[Problem]:
    if not _is_operators(operand):
        if kind is not None:
            yield from _kind_problems(operand, kind, path)
        return
    if depth > DEEPEST:
        yield Problem(field=path, message=f"is nested deeper than {DEEPEST} levels; flatten it")
        return
    for name, argument in operand.items():
        here = f"{path}.{name}"
        if name == "$not":
            yield from _operand_problems(argument, kind, path=here, depth=depth + 1)
        elif name in ("$elemMatch", "$size", "$all", "$alli"):
            if kind not in (None, "list"):
                yield Problem(field=here, message=f"asks for a list, but the attribute is a {kind}")
            elif name.startswith("$all") and not isinstance(argument, list):
                yield Problem(field=here, message="must be a list")
        elif name in ("$inGroup", "$notInGroup"):
            if not isinstance(argument, str):
                yield Problem(field=here, message="must name a group")
        elif name not in OPERATORS:
            yield Problem(field=here, message=f"is no operator; known: {', '.join(sorted(OPERATORS))}")
        else:
            yield from _argument_problems(name, argument, kind, here)


def _argument_problems(name: str, argument: Any, kind: str | None, path: str) -> Iterator[Problem]:
    wanted = SCALAR_OPERATORS.get(name)
    if name in ("$in", "$nin", "$ini", "$nini"):
        if not isinstance(argument, list):
            yield Problem(field=path, message="must be a list of values")
        elif kind not in (None, "list"):
            for number, each in enumerate(argument):
                yield from _kind_problems(each, kind, f"{path}.{number}")
    elif wanted is not None and not isinstance(argument, wanted):
        yield Problem(field=path, message=f"must be a {' or '.join(each.__name__ for each in wanted)}")
    elif "egex" in name:
        yield from _pattern_problems(argument, kind, path)
    elif kind == "list" and name not in ("$exists", "$type", "$eq", "$ne"):
        yield Problem(field=path, message="compares one value, but the attribute is a list; use $in, $all or $size")
    elif name.startswith("$v") and kind not in (None, "string"):
        yield Problem(field=path, message=f"compares versions, but the attribute is a {kind}")
    elif name in ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte") and kind is not None:
        yield from _kind_problems(argument, kind, path)


def _pattern_problems(argument: str, kind: str | None, path: str) -> Iterator[Problem]:
    if kind not in (None, "string"):
        yield Problem(field=path, message=f"matches text, but the attribute is a {kind}")
    if len(argument) > LONGEST_PATTERN:
        yield Problem(field=path, message=f"is longer than {LONGEST_PATTERN} characters; shorten the pattern")
    if NESTED_REPEAT.search(argument):
        yield Problem(field=path, message="repeats a group that repeats, which can take for ever; simplify the pattern")
    try:
        re.compile(argument)
    except (re.error, OverflowError, RecursionError) as error:
        yield Problem(field=path, message=f"is no pattern: {error}")


def _kind_problems(value: Any, kind: str, path: str) -> Iterator[Problem]:
    wrong_bool = isinstance(value, bool) and kind != "boolean"
    if value is not None and (wrong_bool or not isinstance(value, PYTHON_TYPES[kind])):
        remedy = "; use $in to ask whether it holds a value" if kind == "list" else ""
        yield Problem(field=path, message=f"must be a {kind}, as the attribute is declared{remedy}")
