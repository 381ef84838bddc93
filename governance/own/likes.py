"""A person's interests as they read and change them: a word for each, an order, and what was set aside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from governance.own.seen import label
from storage.errors import Invalid, NotFound, Problem

WORDS: Final[Mapping[str, float]] = {
    "very much": 1.0,
    "rather": 0.5,
    "no matter": 0.0,
    "rather not": -0.5,
    "not at all": -1.0,
}
"""What a person can say of an interest, from most to least."""
LESS: Final = WORDS["rather not"]
ASIDE: Final = WORDS["no matter"]
FAINT: Final = 0.05
"""A score nearer to nothing than this speaks neither for nor against."""
STEP: Final = 0.05
SOURCES: Final[Mapping[str, str]] = {
    "implicit": "from what you did here",
    "stated": "you said so",
    "quiz": "from your answers to the quiz",
}
_SURE: Final = ((0.8, "quite sure"), (0.5, "fairly sure"), (0.0, "a first guess"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Like:
    """One interest: its name, how people read it, its score −1…1, the word nearest to it, where it comes from."""

    name: str
    label: str
    kind: str
    score: float
    word: str
    source: str
    sure: str
    evidence: int
    aside: bool


def word_of(score: float) -> str:
    """Return the word nearest to a score.

    >>> word_of(0.7), word_of(-0.1)
    ('rather', 'no matter')
    """
    return min(WORDS, key=lambda word: abs(WORDS[word] - score))


def likes(told: Mapping[str, Any]) -> list[Like]:
    """Return the interests that an engine tells of a person, strongest first; those set aside come last."""
    stated = {name: said["value"] for name, said in told["stated"]["interests"].items()}
    rows = {row["interest"]: row for row in told["interests"]}
    for name, value in stated.items():
        rows.setdefault(name, {"interest": name, "score": value, "confidence": 0.9, "source": "stated", "evidence": 0})
    found = [_like(row, stated.get(name)) for name, row in rows.items()]
    return sorted(found, key=lambda one: (one.aside, -one.score, one.name))


def _like(row: Mapping[str, Any], stated: float | None) -> Like:
    name, score = str(row["interest"]), float(row["score"])
    text, kind = label(name)
    sure = next(words for least, words in _SURE if row["confidence"] >= least)
    return Like(
        name=name,
        label=text,
        kind=kind,
        score=score,
        word=word_of(score),
        source=SOURCES.get(str(row["source"]), str(row["source"])),
        sure=sure,
        evidence=int(row["evidence"]),
        aside=stated == ASIDE and abs(score) < FAINT,
    )


def reworded(known: Sequence[Like], said: Mapping[str, str]) -> dict[str, float]:
    """Return the statements of those interests whose word was changed.

    Raises
    ------
    Invalid
        If a word is none of ``WORDS``.
    """
    now = {one.name: one.word for one in known}
    if any(word not in WORDS for word in said.values()):
        message = "choose one of the words that are offered"
        raise Invalid(message, problems=(Problem(field="interest", message=message),))
    return {name: WORDS[word] for name, word in said.items() if name in now and now[name] != word}


def moved_up(known: Sequence[Like], name: str) -> dict[str, float]:
    """Return the statements that put an interest before the one that stands above it: the two change places.

    Raises
    ------
    NotFound
        If there is no such interest.
    """
    order = [one for one in known if not one.aside]
    place = next((place for place, one in enumerate(order) if one.name == name), None)
    if place is None:
        raise NotFound("this interest is no longer on your list")
    if place == 0:
        return {}
    above, self_ = order[place - 1], order[place]
    high = round(max(above.score, self_.score), 3)
    low = round(min(above.score, self_.score, high - STEP), 3)
    return {self_.name: high, above.name: max(low, -1.0)}


def less_of(names: Sequence[str], known: Sequence[Like]) -> dict[str, float]:
    """Return the statements by which less is shown of what is known by ``names``; what is liked even less stays."""
    now = {one.name: one.score for one in known}
    return {name: LESS for name in names if now.get(name, 0.0) > LESS}
