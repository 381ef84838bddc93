"""Tables of what was seen."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "audits",
        sa.Column("audit_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("population", sa.LargeBinary(), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=False),
        sa.Column("artifacts", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("audit_id"),
    )
    op.create_index(op.f("ix_audits_at"), "audits", ["at"], unique=False)
    op.create_index(op.f("ix_audits_kind"), "audits", ["kind"], unique=False)
    op.create_table(
        "cells",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cube", sa.String(), nullable=False),
        sa.Column("a", sa.String(), nullable=False),
        sa.Column("b", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("decisions", sa.Integer(), nullable=False),
        sa.Column("impressions", sa.Integer(), nullable=False),
        sa.Column("clicks", sa.Integer(), nullable=False),
        sa.Column("conversions", sa.Integer(), nullable=False),
        sa.Column("hit_decisions", sa.Integer(), nullable=False),
        sa.Column("shown_decisions", sa.Integer(), nullable=False),
        sa.Column("model_decisions", sa.Integer(), nullable=False),
        sa.Column("users", sa.LargeBinary(), nullable=False),
        sa.Column("users_known", sa.Boolean(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("campaign", "start", "cube", "a", "b", "origin"),
    )
    op.create_index("ix_cells_cube_start", "cells", ["cube", "start"], unique=False)
    op.create_table(
        "cursors",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("fence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "dead_letters",
        sa.Column("replica", sa.String(), nullable=False),
        sa.Column("log", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("received_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("replica", "log", "seq"),
    )
    op.create_table(
        "imports",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("report", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "lake_files",
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("replica", sa.String(), nullable=False),
        sa.Column("log", sa.String(), nullable=False),
        sa.Column("from_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("to_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("min_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("max_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("path"),
    )
    op.create_index(op.f("ix_lake_files_kind"), "lake_files", ["kind"], unique=False)
    op.create_table(
        "metric_samples",
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("replica", sa.String(), nullable=False),
        sa.Column("boot_id", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("counts", sa.String(), nullable=False),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tier", "replica", "boot_id", "seq", "series_id"),
    )
    op.create_index("ix_samples_series_start", "metric_samples", ["series_id", "tier", "start"], unique=False)
    op.create_table(
        "metric_series",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("labels", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("edges", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("series_id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index(op.f("ix_metric_series_name"), "metric_series", ["name"], unique=False)
    op.create_table(
        "metric_windows",
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("replica", sa.String(), nullable=False),
        sa.Column("boot_id", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("end", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("covered_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("flags", sa.String(), nullable=False),
        sa.Column("fence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("tier", "replica", "boot_id", "seq"),
    )
    op.create_index("ix_windows_tier_start", "metric_windows", ["tier", "start"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_windows_tier_start", table_name="metric_windows")
    op.drop_table("metric_windows")
    op.drop_index(op.f("ix_metric_series_name"), table_name="metric_series")
    op.drop_table("metric_series")
    op.drop_index("ix_samples_series_start", table_name="metric_samples")
    op.drop_table("metric_samples")
    op.drop_index(op.f("ix_lake_files_kind"), table_name="lake_files")
    op.drop_table("lake_files")
    op.drop_table("imports")
    op.drop_table("dead_letters")
    op.drop_table("cursors")
    op.drop_index("ix_cells_cube_start", table_name="cells")
    op.drop_table("cells")
    op.drop_index(op.f("ix_audits_kind"), table_name="audits")
    op.drop_index(op.f("ix_audits_at"), table_name="audits")
    op.drop_table("audits")
