"""What Alembic runs: the migrations, on the connection and in the transaction that it is given."""

from alembic import context
from sqlmodel import SQLModel

from storage.tables import TABLES


def migrate() -> None:
    """Run the steps that Alembic chose."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=TABLES[0].metadata if TABLES else SQLModel.metadata,
    )
    context.run_migrations()


if __name__ == "env_py":  # so Alembic names it; a tool that only imports this file runs nothing
    migrate()
