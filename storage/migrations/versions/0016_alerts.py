"""Alerts, silences, deliveries, objectives, and indicators minute by minute."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_INDEXED = {
    "alerts": ("fingerprint", "fired_at", "resolved_at"),
    "alert_silences": ("fingerprint", "until"),
    "alert_deliveries": ("alert_id", "created_at", "state"),
}


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=nullable)


def _words(*names: str) -> tuple[sa.Column[str], ...]:
    return tuple(sa.Column(name, sa.String(), nullable=False) for name in names)


def _texts(*names: str) -> tuple[sa.Column[str], ...]:
    return tuple(sa.Column(name, sa.Text(), nullable=False) for name in names)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "alerts",
        *_words("alert_id", "fingerprint", "name", "title", "cause", "audience", "severity"),
        *_texts("sentence", "figures"),
        *_words("slo", "top"),
        _big("since"),
        _big("fired_at"),
        _big("seen_at"),
        sa.Column("fires", sa.Integer(), nullable=False),
        _big("acked_at", nullable=True),
        *_words("acked_by"),
        *_texts("acked_why"),
        _big("resolved_at", nullable=True),
        *_words("resolved_by"),
        *_texts("resolved_why"),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id"),
    )
    op.create_table(
        "alert_silences",
        *_words("silence_id", "fingerprint"),
        _big("since"),
        _big("until"),
        *_words("by"),
        *_texts("reason"),
        _big("lifted_at", nullable=True),
        sa.PrimaryKeyConstraint("silence_id"),
    )
    op.create_table(
        "alert_deliveries",
        *_words("delivery_id", "alert_id", "destination", "occasion"),
        _big("created_at"),
        _big("next_at"),
        *_words("state"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _big("done_at", nullable=True),
        *_texts("trouble"),
        sa.PrimaryKeyConstraint("delivery_id"),
    )
    op.create_table(
        "slos",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=True),
        sa.Column("etag", sa.String(), nullable=False),
        _big("updated_at"),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "sli_minutes",
        *_words("indicator"),
        _big("start"),
        _big("good"),
        _big("valid"),
        sa.PrimaryKeyConstraint("indicator", "start"),
    )
    for table, columns in _INDEXED.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    """Forget them."""
    for table, columns in _INDEXED.items():
        for column in columns:
            op.drop_index(f"ix_{table}_{column}", table_name=table)
    for table in ("sli_minutes", "slos", "alert_deliveries", "alert_silences", "alerts"):
        op.drop_table(table)
