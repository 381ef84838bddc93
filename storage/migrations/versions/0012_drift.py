"""Drift: distributions by window, references, what looks found, accepted drift."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the tables."""
    for table, more in (
        ("drift_windows", (sa.Column("rows", sa.Integer(), nullable=False), _bytes("packed"))),
        (
            "drift_looks",
            (
                sa.Column("reference", sa.Integer(), nullable=False),
                sa.Column("verdict", sa.String(), nullable=False),
                sa.Column("sentence", sa.Text(), nullable=False),
                _bytes("features"),
            ),
        ),
    ):
        op.create_table(
            table,
            sa.Column("surface", sa.String(), nullable=False),
            sa.Column("origin", sa.String(), nullable=False),
            sa.Column("family", sa.String(), nullable=False),
            _moment("start"),
            _moment("end"),
            _moment("at"),
            *more,
            sa.PrimaryKeyConstraint("surface", "origin", "family", "start"),
        )
    op.create_table(
        "drift_references",
        sa.Column("surface", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        _moment("at"),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _bytes("document"),
        sa.Column("counted_at", sa.BigInteger(), nullable=True),
        sa.Column("decided", sa.LargeBinary(), nullable=True),
        sa.Column("shown", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("surface", "version"),
    )
    op.create_table(
        "drift_acceptances",
        sa.Column("surface", sa.String(), nullable=False),
        sa.Column("feature", sa.String(), nullable=False),
        sa.Column("reference", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _moment("at"),
        _moment("until"),
        sa.PrimaryKeyConstraint("surface", "feature"),
    )


def downgrade() -> None:
    """Forget them."""
    for table in ("drift_acceptances", "drift_references", "drift_looks", "drift_windows"):
        op.drop_table(table)


def _moment(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


def _bytes(name: str) -> "sa.Column[bytes]":
    return sa.Column(name, sa.LargeBinary(), nullable=False)
