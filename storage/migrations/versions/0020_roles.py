"""Roles of the installation, when tokens were used, commands done once, half-filled forms."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "roles",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=True),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "token_uses",
        sa.Column("token_id", sa.String(), primary_key=True),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
    )
    op.create_index("ix_idempotency_keys_at", "idempotency_keys", ["at"])
    op.create_table(
        "drafts",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person", "form"),
    )
    op.create_index("ix_drafts_at", "drafts", ["at"])


def downgrade() -> None:
    """Forget them."""
    for table in ("drafts", "idempotency_keys", "token_uses", "roles"):
        op.drop_table(table)
