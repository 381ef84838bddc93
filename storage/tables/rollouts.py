"""Rows of gated rollouts and of what was said at each look."""

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field, SQLModel


def _big(*, primary: bool = False) -> Column[int]:
    return Column(BigInteger, primary_key=primary, autoincrement=False, nullable=False)


class RolloutRow(SQLModel, table=True):
    """A gated rollout; ``document`` is all of it, the rest is what is asked for."""

    __tablename__ = "rollouts"
    rollout_id: str = Field(primary_key=True)
    policy: str = Field(index=True)
    state: str = Field(index=True)
    created_at: int = Field(sa_column=_big())
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class LookRow(SQLModel, table=True):
    """One look at a rollout: its inputs, its findings, its step."""

    __tablename__ = "rollout_looks"
    rollout_id: str = Field(primary_key=True)
    seq: int = Field(sa_column=_big(primary=True))
    at: int = Field(sa_column=_big())
    step: str
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
