"""Rows of alerts, silences and deliveries, of objectives, and of what their indicators were, minute by minute."""

from sqlalchemy import BigInteger, Column, LargeBinary, Text
from sqlmodel import Field, SQLModel


def _big(*, primary: bool = False, nullable: bool = False, index: bool = False) -> Column[int]:
    return Column(BigInteger, primary_key=primary, autoincrement=False, nullable=nullable, index=index)


class AlertRow(SQLModel, table=True):
    """One alert from its first sign until it was over."""

    __tablename__ = "alerts"
    alert_id: str = Field(primary_key=True)
    fingerprint: str = Field(index=True)
    name: str
    title: str
    cause: str
    audience: str
    severity: str
    sentence: str = Field(sa_column=Column(Text, nullable=False))
    figures: str = Field(sa_column=Column(Text, nullable=False))
    slo: str
    top: str
    since: int = Field(sa_column=_big())
    fired_at: int = Field(sa_column=_big(index=True))
    seen_at: int = Field(sa_column=_big())
    fires: int
    acked_at: int | None = Field(default=None, sa_column=_big(nullable=True))
    acked_by: str
    acked_why: str = Field(sa_column=Column(Text, nullable=False))
    resolved_at: int | None = Field(default=None, sa_column=_big(nullable=True, index=True))
    resolved_by: str
    resolved_why: str = Field(sa_column=Column(Text, nullable=False))
    test: bool


class SilenceRow(SQLModel, table=True):
    """Nothing of a fingerprint is delivered until an instant."""

    __tablename__ = "alert_silences"
    silence_id: str = Field(primary_key=True)
    fingerprint: str = Field(index=True)
    since: int = Field(sa_column=_big())
    until: int = Field(sa_column=_big(index=True))
    by: str
    reason: str = Field(sa_column=Column(Text, nullable=False))
    lifted_at: int | None = Field(default=None, sa_column=_big(nullable=True))


class DeliveryRow(SQLModel, table=True):
    """One alert on its way to one destination."""

    __tablename__ = "alert_deliveries"
    delivery_id: str = Field(primary_key=True)
    alert_id: str = Field(index=True)
    destination: str
    occasion: str
    created_at: int = Field(sa_column=_big(index=True))
    next_at: int = Field(sa_column=_big())
    state: str = Field(index=True)
    attempts: int
    done_at: int | None = Field(default=None, sa_column=_big(nullable=True))
    trouble: str = Field(sa_column=Column(Text, nullable=False))


class SloRow(SQLModel, table=True):
    """An objective's current document, and the one before its last edit; ``etag`` is the digest of the current one."""

    __tablename__ = "slos"
    key: str = Field(primary_key=True)
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    previous: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    etag: str
    updated_at: int = Field(sa_column=_big())


class SliRow(SQLModel, table=True):
    """What one indicator counted from ``start`` on, for as long as the step of the series that it came from."""

    __tablename__ = "sli_minutes"
    indicator: str = Field(primary_key=True)
    start: int = Field(sa_column=_big(primary=True))
    good: int = Field(sa_column=_big())
    valid: int = Field(sa_column=_big())
