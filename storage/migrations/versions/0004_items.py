"""Past item versions, and what catalogue syncs brought."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the tables; the items that are there begin the past that can be rebuilt."""
    op.add_column("items", sa.Column("source", sa.String(), nullable=False, server_default=""))
    op.add_column("items", sa.Column("digest", sa.String(), nullable=False, server_default=""))
    op.add_column("items", sa.Column("hidden", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(op.f("ix_items_source"), "items", ["source"], unique=False)
    op.create_index(op.f("ix_items_version"), "items", ["version"], unique=False)
    op.create_table(
        "item_versions",
        sa.Column("ordinal", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("ordinal", "version"),
    )
    op.create_table(
        "catalogue_versions",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "catalogue_syncs",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("declared", sa.String(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("hidden", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("modified", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_index(op.f("ix_catalogue_syncs_name"), "catalogue_syncs", ["name"], unique=False)
    op.create_index(op.f("ix_catalogue_syncs_started_at"), "catalogue_syncs", ["started_at"], unique=False)
    sqlite = op.get_bind().dialect.name == "sqlite"
    mark = """CAST('"hidden"\\:true' AS {})""".format("BLOB" if sqlite else "BYTEA")
    place = f"instr(document, {mark})" if sqlite else f"position({mark} in document)"
    op.execute(f"UPDATE items SET hidden = true WHERE {place} > 0")  # noqa: S608  # our own words
    op.execute("INSERT INTO item_versions (ordinal, version, document) SELECT ordinal, version, document FROM items")
    op.execute(
        "INSERT INTO catalogue_versions (version, at, items) "
        "SELECT value, 0, (SELECT count(*) FROM items) FROM counters WHERE name = 'catalogue' AND value > 0"
    )


def downgrade() -> None:
    """Forget the past."""
    op.drop_table("catalogue_syncs")
    op.drop_table("catalogue_versions")
    op.drop_table("item_versions")
    op.drop_index(op.f("ix_items_version"), table_name="items")
    op.drop_index(op.f("ix_items_source"), table_name="items")
    op.drop_column("items", "hidden")
    op.drop_column("items", "digest")
    op.drop_column("items", "source")
