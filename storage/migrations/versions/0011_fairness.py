"""Fairness audits: schedules and sensitive attributes."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "sensitive_attributes",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("attribute", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "attribute"),
    )
    op.create_index("ix_sensitive_attributes_attribute", "sensitive_attributes", ["attribute"])
    op.create_table(
        "fairness_plans",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=True),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("fairness_plans")
    op.drop_index("ix_sensitive_attributes_attribute", "sensitive_attributes")
    op.drop_table("sensitive_attributes")
