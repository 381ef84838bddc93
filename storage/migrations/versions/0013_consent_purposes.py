"""Consent by purpose: when something was said, the wordings that people agreed to, what probes saw, violations."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the tables."""
    op.add_column("consent_changes", sa.Column("said_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "consent_texts",
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("purpose", "version"),
    )
    op.create_table(
        "consent_probes",
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("replica", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("enforced_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("at", "replica", "kind"),
    )
    op.create_table(
        "consent_violations",
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("detector", sa.String(), nullable=False),
        sa.Column("replica", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", "detector"),
    )
    op.create_index(op.f("ix_consent_violations_found_at"), "consent_violations", ["found_at"], unique=False)


def downgrade() -> None:
    """Forget them; what was said stays."""
    op.drop_index(op.f("ix_consent_violations_found_at"), table_name="consent_violations")
    for table in ("consent_violations", "consent_probes", "consent_texts"):
        op.drop_table(table)
    op.drop_column("consent_changes", "said_at")
