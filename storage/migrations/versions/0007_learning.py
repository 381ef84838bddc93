"""When a model version was in service, and what was said of it beside the one in service."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("models", sa.Column("served_at", sa.BigInteger(), nullable=True))
    op.add_column("models", sa.Column("withdrawn_at", sa.BigInteger(), nullable=True))
    op.add_column("models", sa.Column("verdict", sa.String(), nullable=True))
    op.execute("UPDATE models SET served_at = created_at WHERE in_service")


def downgrade() -> None:
    for column in ("verdict", "withdrawn_at", "served_at"):
        op.drop_column("models", column)
