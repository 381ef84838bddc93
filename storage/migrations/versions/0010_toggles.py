"""Toggles, cards, emergencies; what a change was written on, what it would do, and when it is due."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables, widen changes."""
    op.create_table(
        "toggles",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=True),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "cards",
        sa.Column("object_kind", sa.String(), primary_key=True),
        sa.Column("object_key", sa.String(), primary_key=True),
        sa.Column("version", sa.String(), primary_key=True),
        sa.Column("card", sa.LargeBinary(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("written_by", sa.String(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "emergencies",
        sa.Column("emergency_id", sa.String(), primary_key=True),
        sa.Column("principal", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("deeds", sa.Text(), nullable=False),
        sa.Column("reviewed_by", sa.String(), nullable=False),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=True),
        sa.Column("finding", sa.Text(), nullable=False),
    )
    op.add_column("changes", sa.Column("apply_at", sa.BigInteger(), nullable=True))
    op.add_column("changes", sa.Column("scheduled_by", sa.String(), nullable=False, server_default=""))
    op.add_column("changes", sa.Column("found", sa.LargeBinary(), nullable=True))
    op.add_column("changes", sa.Column("effect", sa.LargeBinary(), nullable=True))
    op.add_column("changes", sa.Column("dry_run", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    """Forget them."""
    for column in ("dry_run", "effect", "found", "scheduled_by", "apply_at"):
        op.drop_column("changes", column)
    for table in ("emergencies", "cards", "toggles"):
        op.drop_table(table)
