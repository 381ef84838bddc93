"""What people stated of themselves, and which visitors turned out to be which account, in one order."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "person_changes",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index(op.f("ix_person_changes_subject"), "person_changes", ["subject"], unique=False)
    op.create_index(op.f("ix_person_changes_account"), "person_changes", ["account"], unique=False)


def downgrade() -> None:
    """Forget what people stated."""
    op.drop_table("person_changes")
