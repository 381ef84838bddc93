"""The first start of an installation: tokens for its own processes, a first revision, a preset if there is one."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

from governance import authoring, capping
from governance.actions import Ground, refuse
from governance.book import Book, Deed, Matter
from governance.cards import NewCard, preset_card, write_card
from governance.installation import INSTALLATION
from governance.outcomes import Installed
from governance.preset import Preset, PresetPolicy
from governance.validity import campaign_problems, installation_problems, policy_problems
from governance.warrants import Warrant, system
from storage import campaigns, caps, documents, policies, revisions, rules, tokens
from storage.database import Read, Write
from storage.errors import Conflict
from storage.keys import read_token, write_token
from storage.policies import PolicyHead
from storage.records.access import ROLES, Scope
from storage.records.document import digest
from storage.records.policies import Installation, Rollout

SERVICE_TOKENS: Mapping[str, tuple[str, frozenset[Scope]]] = {
    "admin": ("admin", ROLES["admin"]),
    "collector": ("service", frozenset({Scope.METRICS_READ, Scope.JOURNAL_READ, Scope.DECISION_READ, Scope.READ})),
    "dashboard": ("service", frozenset({Scope.METRICS_READ, Scope.READ})),
    "page": ("service", frozenset({Scope.DECISION_READ, Scope.EVENTS_WRITE})),
    "probe": ("service", frozenset({Scope.DECIDE, Scope.SIMULATE})),
    "traffic": ("service", frozenset({Scope.DECIDE, Scope.EVENTS_WRITE, Scope.SIMULATE, Scope.READ})),
}
"""The tokens of the installation's own processes, by the file that holds each: role and scopes."""

_WARRANT = Warrant(by=system("bootstrap"), reason="first start of the installation")


class Bootstrap:
    """Makes an installation usable; every step is done once, whoever asks again.

    Parameters
    ----------
    book
        Runs each action as one transaction with its ledger entry.
    """

    def __init__(self, book: Book) -> None:
        self._book = book

    def run(self, home: Path, preset: Preset | None = None) -> Installed:
        """Write what is missing."""
        minted = tuple(name for name in SERVICE_TOKENS if self._token(home, name))
        with self._book.database.read() as read:
            settled = documents.load(read, INSTALLATION, Installation) is not None
            empty = self._empty(read)
        wanted = preset or Preset(name="empty")
        if not settled or (empty and (wanted.policies or wanted.campaigns)):
            with contextlib.suppress(Conflict):  # another instance was quicker; the ledger says so
                self._install(wanted)
        with self._book.database.read() as read:
            number = revisions.number(read)
        return Installed(revision=number, tokens=minted, preset=preset is not None and empty)

    def _empty(self, read: Read) -> bool:
        return not policies.heads(read) and not campaigns.listed(read)

    def _token(self, home: Path, name: str) -> bool:
        present = read_token(home, name)
        with self._book.database.read() as read:
            known = tokens.principals(read, self._book.now())
        if present is not None and tokens.hash_token(present) in known:
            return False
        role, scopes = SERVICE_TOKENS[name]

        def body(write: Write, at: int) -> Deed[str]:
            token_id, text = tokens.mint(write, name=name, principal=name, role=role, scopes=scopes, now=at)
            after = {"name": name, "principal": name, "role": role, "scopes": sorted(scopes), "expires_at": None}
            return Deed(answer=text, after=after, object_key=token_id, four_eyes=False)

        text, _seq = self._book.enter(Matter(action="token.mint", object_kind="token", object_key=name), _WARRANT, body)
        write_token(home, name, text)
        return True

    def _install(self, preset: Preset) -> None:
        def body(write: Write, at: int) -> Deed[int]:
            bare = not preset.policies and not preset.campaigns
            settled = documents.load(write, INSTALLATION, Installation) is not None
            if not self._empty(write) or (bare and settled):
                raise Conflict("this installation was set up already")
            settings = preset.installation
            refuse(installation_problems(settings))
            documents.save(write, INSTALLATION, settings)
            for campaign in preset.campaigns:
                refuse(campaign_problems(campaign, settings))
                campaigns.save(write, campaign, at=at)
            for policy in preset.policies:
                self._policy(write, policy, settings, at, name=preset.name)
            for rule in preset.rules:
                refuse(authoring.problems_of(write, rule))
                rules.save(write, rule, previous=None, at=at)
            for cap in preset.caps:
                refuse(capping.problems_of(write, cap))
                caps.save(write, cap, previous=None, at=at)
            revision = self._book.publish(write, at)
            after = {
                "preset": preset.name,
                "digest": digest(preset),
                "campaigns": [campaign.key for campaign in preset.campaigns],
                "policies": [policy.key for policy in preset.policies],
                "rules": [rule.key for rule in preset.rules],
                "caps": [cap.key for cap in preset.caps],
            }
            return Deed(answer=revision, after=after, revision=revision, four_eyes=False)

        matter = Matter(action="installation.preset", object_kind="settings", object_key=INSTALLATION)
        self._book.enter(matter, _WARRANT, body)

    def _policy(self, write: Write, preset: PresetPolicy, settings: Installation, at: int, *, name: str) -> None:
        head = PolicyHead(key=preset.key, surface=preset.surface, created_at=at)
        policies.save(write, head)
        for version in preset.versions:
            refuse(policy_problems(version, settings))
            made = policies.add_version(
                write, preset.key, document=version, author=_WARRANT.by.name, note="preset", at=at
            )
            order = NewCard(version=str(made.version), card=preset_card(name))
            write_card(write, preset.key, order, Ground(at=at, author=_WARRANT.by.name, reason=_WARRANT.reason))
        rollout = (
            Rollout(
                version=preset.rollout,
                percent=preset.percent,
                seed=f"{preset.key}:{preset.rollout}",
                started_at=at,
            )
            if preset.rollout is not None
            else None
        )
        policies.save(
            write,
            PolicyHead(key=preset.key, surface=preset.surface, stable=preset.stable, rollout=rollout, created_at=at),
        )
