"""Why each item stands where it stands: codes in the record, sentences for people."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from string import Formatter
from unicodedata import category

from scoring_core.explore import Slate
from scoring_core.live import Shelf
from scoring_core.rules import Ruled
from storage.errors import Problem
from storage.records.decisions import Decision
from storage.records.policies import Installation, Policy, Snapshot
from storage.records.rules import Rule

TEXTS: Mapping[str, str] = {
    "model": "Ranked for you",
    "popular": "Popular with many people",
    "trending": "Asked for more than usual right now",
    "similar": "Like what you looked at before",
    "factors": "Liked by people who like what you like",
    "sequence": "Often looked at after what you looked at last",
    "search": "Matches what you searched for",
    "plugin": "Suggested by a partner of this site",
    "best_variant": "What works best here",
    "caller": "In the order of the page",
    "default": "Shown to everyone",
    "explored": "Shown to learn whether you like it",
    "pinned": "Placed here by a rule",
    "rule": "Chosen with the rule {rule}",
    "because": "Shown because you looked at {item}",
    "interest": "Because you said you like {interest}",
    "new": "New here",
    "fair": "Moved up so that everyone who offers something is seen",
    "cap": "In place of what you were shown often enough",
}
"""Every code, and what the house says."""

PLACEHOLDERS: Mapping[str, str] = {"rule": "rule", "because": "item", "interest": "interest"}
"""What a code's template may hold in braces."""

TOLD_OF: Mapping[str, frozenset[str]] = {"because": frozenset({"recent"}), "interest": frozenset({"interests"})}
"""Codes that are given only where a surface's or a policy's templates name them, and which parts of the state each
takes: an empty template asks for the house's words."""

BY_SOURCE: Mapping[str, str] = {
    "trending": "trending",
    "content": "similar",
    "factors": "factors",
    "hybrid": "factors",
    "sequences": "sequence",
    "search": "search",
    "plugin": "plugin",
}
"""The code of a candidate source that is a reason in itself."""

MOST_KNOWN = 4_096
LONGEST_TEMPLATE = 200
LONGEST_NAME = 80
_ANGLES = str.maketrans({"<": "‹", ">": "›"})

Codes = tuple[tuple[str, ...], ...]


def codes(slate: Slate, *, base: str, ruled: Ruled, more: Sequence[tuple[str, ...]] = ()) -> Codes:
    """Return one tuple of codes per slot: how the item came to be there, then ``more`` of each slot, then ``rule:KEY``
    per rule that touched it."""
    if ruled.lifting is None and not ruled.pinning and not slate.explored and not slate.pinned and not any(more):
        return ((base,),) * len(slate.rows)
    return tuple(
        [
            (
                "pinned" if slot in slate.pinned else "explored" if slot in slate.explored else base,
                *(more[slot] if more else ()),
                *[f"rule:{key}" for key in ruled.touching(row)],
            )
            for slot, row in enumerate(slate.rows)
        ]
    )


@dataclass(frozen=True, slots=True)
class Words:
    """What a code reads as: templates of the surface, then of the policy, then of the house; the rules by key, whose
    own reason comes first; an item's title, which stands for its id."""

    surface: Mapping[str, str] = field(default_factory=dict)
    policy: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    titles: Callable[[str], str | None] = str
    known: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    def sentence(self, code: str) -> str:
        """Return a code as a sentence; the first ones are remembered."""
        found = self.known.get(code)
        if found is None:
            found = self._made(code)
            if len(self.known) < MOST_KNOWN:
                self.known[code] = found
        return found

    def _made(self, code: str) -> str:
        kind, _, about = code.partition(":")
        rule = self.rules.get(about) if kind == "rule" else None
        if rule is not None and rule.reason:
            return named(rule.reason, LONGEST_TEMPLATE)
        template = self.surface.get(kind) or self.policy.get(kind) or TEXTS.get(kind, kind)
        holder = PLACEHOLDERS.get(kind)
        if holder is None:
            return template
        shown = {
            "rule": (rule.name if rule is not None else "") or about,
            "because": self.titles(about) or about,
            "interest": about.partition("=")[2] or about,
        }.get(kind, "")
        return template.replace(f"{{{holder}}}", named(shown))


def words(snapshot: Snapshot | None, record: Decision, shelf: Shelf | None = None) -> Words:
    """Return the words for a record's reasons; the house's where the snapshot is no longer kept."""
    if snapshot is None:
        return Words()
    surface = snapshot.installation.surfaces.get(record.surface)
    policy: Policy | None = None
    if record.policy is not None and record.version is not None and record.policy in snapshot.policies:
        policy = snapshot.policies[record.policy].versions.get(record.version)
    own = {rule.key: rule for rule in policy.rules} if policy is not None else {}
    return Words(
        surface=surface.reasons if surface is not None else {},
        policy=policy.reasons if policy is not None else {},
        rules={**snapshot.rules, **own},
        titles=str if shelf is None else partial(_title, shelf),
    )


def _title(shelf: Shelf, item: str) -> str:
    ordinal = shelf.ordinals.get(item)
    return "" if ordinal is None else shelf.catalogue.items[ordinal].title


def told(record: Decision, said: Words) -> Codes:
    """Return the record's reasons as sentences."""
    return tuple([tuple([said.sentence(code) for code in reasons]) for reasons in record.reasons])


@lru_cache(maxsize=4_096)
def named(text: str, longest: int = LONGEST_NAME) -> str:
    """Return a name as it may stand in a sentence: one line, no control characters, no angle brackets, not too long.

    >>> named("<b>Boots</b>")
    '‹b›Boots‹/b›'
    """
    line = " ".join(text.translate(_ANGLES).split())
    line = "".join(letter for letter in line if category(letter)[0] != "C")
    return line if len(line) <= longest else line[: longest - 1] + "…"


def template_problems(templates: Mapping[str, str], field: str) -> Iterator[Problem]:
    """Yield what is wrong with templates: codes that there are not, placeholders that would stay as they are, markup.

    >>> [one.message for one in template_problems({"because": "You saw {thing}"}, "reasons")]
    ['{thing} is never filled in; it may hold {item}']
    """
    for code, template in templates.items():
        if code not in TEXTS:
            yield Problem(field=field, message=f"names a code that there is not; codes: {', '.join(sorted(TEXTS))}")
            continue
        yield from sentence_problems(template, f"{field}.{code}", PLACEHOLDERS.get(code))


def sentence_problems(sentence: str, field: str, holder: str | None = None) -> Iterator[Problem]:
    """Yield what is wrong with one sentence for people; ``holder`` is the placeholder that it may have."""
    if len(sentence) > LONGEST_TEMPLATE:
        yield Problem(field=field, message=f"is longer than {LONGEST_TEMPLATE} characters; shorten it")
    if "<" in sentence or ">" in sentence:
        yield Problem(field=field, message="holds < or >; write plain text, without markup")
    allowed = f"it may hold {{{holder}}}" if holder is not None else "it takes no placeholder"
    try:
        held = [name for _text, name, _spec, _conversion in Formatter().parse(sentence) if name is not None]
    except ValueError:
        yield Problem(field=field, message=f"has a brace that stands alone; {allowed}")
        return
    for name in held:
        if name != holder:
            yield Problem(field=field, message=f"{{{named(name, 40)}}} is never filled in; {allowed}")


def sensitive(installation: Installation, surface: str) -> frozenset[str]:
    """Return the names of attributes that no reason may name."""
    place = installation.surfaces.get(surface)
    declared = {**installation.attributes, **(place.context if place is not None else {})}
    return frozenset(name for name, attribute in declared.items() if attribute.sensitive)
