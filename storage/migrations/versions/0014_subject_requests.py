"""Subjects' requests: access, objection, restriction, erasure."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_INDEXED = {"subject_requests": ("kind", "state", "subject", "received_at"), "subject_orders": ("request_id",)}


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=nullable)


def upgrade() -> None:
    """Make the tables, and let a salt be found by its pseudonym."""
    op.create_table(
        "subject_requests",
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _big("received_at"),
        _big("due_at"),
        sa.Column("extension", sa.Text(), nullable=False),
        _big("updated_at"),
        _big("done_at", nullable=True),
        sa.Column("traces", sa.LargeBinary(), nullable=False),
        sa.Column("progress", sa.Text(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("request_id"),
    )
    op.create_table(
        "subject_orders",
        _big("number"),
        _big("at"),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("subjects", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "restricted_subjects",
        sa.Column("subject", sa.String(), nullable=False),
        _big("since"),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "decision_tombstones",
        sa.Column("decision_id", sa.String(), nullable=False),
        _big("erased_at"),
        sa.Column("signature", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id"),
    )
    for table, columns in _INDEXED.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])
    op.add_column("subject_salts", sa.Column("pseudonym", sa.String(), nullable=True))
    op.create_index("ix_subject_salts_pseudonym", "subject_salts", ["pseudonym"])


def downgrade() -> None:
    """Forget the requests."""
    op.drop_index("ix_subject_salts_pseudonym", table_name="subject_salts")
    op.drop_column("subject_salts", "pseudonym")
    for table, columns in _INDEXED.items():
        for column in columns:
            op.drop_index(f"ix_{table}_{column}", table_name=table)
    for table in ("decision_tombstones", "restricted_subjects", "subject_orders", "subject_requests"):
        op.drop_table(table)
