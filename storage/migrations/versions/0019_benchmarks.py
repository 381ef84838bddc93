"""Figures of an industry, brought along by the installation."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0016"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "benchmarks",
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("industry", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("date", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("metric", "industry", "source"),
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_table("benchmarks")
