"""Rows of control state: revisions, consent, salts, tokens, policies, campaigns, changes, settings, the ledger."""

from sqlalchemy import BigInteger, Column, LargeBinary, String, Text
from sqlmodel import Field, SQLModel


def _big(*, primary: bool = False, index: bool = False, nullable: bool = False) -> Column[int]:
    return Column(BigInteger, primary_key=primary, autoincrement=False, nullable=nullable, index=index)


class CounterRow(SQLModel, table=True):
    """A numbered sequence whose row lock makes numbers appear in commit order."""

    __tablename__ = "counters"
    name: str = Field(primary_key=True)
    value: int = Field(sa_column=Column(BigInteger, nullable=False))


class RevisionRow(SQLModel, table=True):
    """One immutable snapshot of control state."""

    __tablename__ = "revisions"
    revision: int = Field(sa_column=_big(primary=True))
    at: int = Field(sa_column=_big())
    digest: str
    snapshot: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ConsentRow(SQLModel, table=True):
    """One consent change; ``epoch`` numbers appear in commit order."""

    __tablename__ = "consent_changes"
    epoch: int = Field(sa_column=_big(primary=True))
    at: int = Field(sa_column=_big())
    subject: str = Field(index=True)
    purpose: str
    state: str
    reason: str = Field(sa_column=Column(Text, nullable=False))
    source: str
    actor: str
    text_version: str = ""
    said_at: int | None = Field(default=None, sa_column=_big(nullable=True))


class SaltRow(SQLModel, table=True):
    """A subject's salt under the keyed hash of the raw id; deleting it breaks the link for good. ``pseudonym`` is what
    both make, so that who deletes the pseudonym's traces finds the salt; None for salts of older versions."""

    __tablename__ = "subject_salts"
    lookup: str = Field(primary_key=True)
    salt: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: int = Field(sa_column=_big())
    pseudonym: str | None = Field(default=None, index=True)


class TokenRow(SQLModel, table=True):
    """A bearer token, hashed."""

    __tablename__ = "tokens"
    token_id: str = Field(primary_key=True)
    name: str = Field(index=True)
    principal: str
    role: str
    scopes: str
    hash: str = Field(unique=True)
    created_at: int = Field(sa_column=_big())
    expires_at: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    revoked_at: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))


class SettingRow(SQLModel, table=True):
    """One document of control state that has one instance: the installation's settings, the kill switch."""

    __tablename__ = "settings"
    key: str = Field(primary_key=True)
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class PolicyRow(SQLModel, table=True):
    """A policy: which version is stable, and what is being rolled out."""

    __tablename__ = "policies"
    key: str = Field(primary_key=True)
    surface: str = Field(unique=True)
    stable: int | None = None
    previous: int | None = None
    rollout: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    created_at: int = Field(sa_column=_big())


class PolicyVersionRow(SQLModel, table=True):
    """One immutable policy version."""

    __tablename__ = "policy_versions"
    key: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    digest: str
    state: str
    author: str
    note: str = Field(default="", sa_column=Column(Text, nullable=False))
    created_at: int = Field(sa_column=_big())


class CampaignRow(SQLModel, table=True):
    """A campaign's current document; ``etag`` is its digest."""

    __tablename__ = "campaigns"
    key: str = Field(primary_key=True)
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    etag: str
    updated_at: int = Field(sa_column=_big())


class ChangeRow(SQLModel, table=True):
    """A proposed change and its approvals (JSON lists and documents as bytes)."""

    __tablename__ = "changes"
    change_id: str = Field(primary_key=True)
    kind: str
    object_key: str = Field(index=True)
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    state: str = Field(index=True)
    level: str
    author: str
    reason: str = Field(sa_column=Column(Text, nullable=False))
    approvals: str = "[]"
    base: str = ""
    created_at: int = Field(sa_column=_big())
    updated_at: int = Field(sa_column=_big())
    applied_revision: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    apply_at: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    scheduled_by: str = Field(default="", sa_column=Column(String, nullable=False, server_default=""))
    found: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    effect: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    dry_run: str = Field(default="", sa_column=Column(String, nullable=False, server_default=""))


class LedgerRow(SQLModel, table=True):
    """One entry of the hash chain; ``body`` is the canonical JSON that ``hash`` covers together with ``previous``."""

    __tablename__ = "ledger"
    seq: int = Field(sa_column=_big(primary=True))
    at: int = Field(sa_column=_big(index=True))
    actor: str = Field(index=True)
    action: str = Field(index=True)
    object_kind: str
    object_key: str = Field(index=True)
    result: str
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    previous: str
    hash: str


class ReceiptRow(SQLModel, table=True):
    """The latest report of one replica."""

    __tablename__ = "replica_receipts"
    replica: str = Field(primary_key=True)
    boot_id: str
    url: str
    revision: int = Field(sa_column=_big())
    consent_epoch: int = Field(sa_column=_big())
    at: int = Field(sa_column=_big())
    ready: bool = True
    started_at: int = Field(sa_column=_big())
    details: str = "{}"


class PropagationRow(SQLModel, table=True):
    """How long revisions and consent epochs took to reach a replica, as a histogram per boot."""

    __tablename__ = "propagation"
    replica: str = Field(primary_key=True)
    boot_id: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    counts: str
    sum_s: float


class LeaseRow(SQLModel, table=True):
    """Who leads; ``token`` grows with each holder and fences late writes."""

    __tablename__ = "leases"
    name: str = Field(primary_key=True)
    holder: str
    token: int = Field(sa_column=_big())
    expires_at: int = Field(sa_column=_big())


class JobRow(SQLModel, table=True):
    """One run of heavy work."""

    __tablename__ = "jobs"
    job_id: str = Field(primary_key=True)
    name: str = Field(index=True)
    arguments: str = "{}"
    state: str = Field(index=True)
    requested_by: str
    created_at: int = Field(sa_column=_big(index=True))
    started_at: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    finished_at: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    result: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    error: str | None = Field(default=None, sa_column=Column(Text, nullable=True))


class HeartbeatRow(SQLModel, table=True):
    """When a scheduled task last ran and last succeeded; a clock that stops is itself an incident."""

    __tablename__ = "heartbeats"
    name: str = Field(primary_key=True)
    every_s: float
    last_run: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    last_ok: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    error: str = Field(default="", sa_column=Column(Text, nullable=False))


class ModelRow(SQLModel, table=True):
    """A registered model version, whether it is in service, when it last went in and was taken back, and what was said
    of it when it was compared with the one in service (JSON)."""

    __tablename__ = "models"
    name: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    created_at: int = Field(sa_column=_big())
    in_service: bool = False
    served_at: int | None = Field(default=None, sa_column=_big(nullable=True))
    withdrawn_at: int | None = Field(default=None, sa_column=_big(nullable=True))
    verdict: str | None = None
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
