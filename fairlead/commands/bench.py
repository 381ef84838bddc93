"""Benchmarks that anyone can repeat on data of their own machine, each in a file of its own."""

from fairlead.commands import relevance
from fairlead.commands.options import noun

app = noun("bench", "Benchmarks on public data: relevance.")

app.command()(relevance.relevance)


@app.callback()
def bench() -> None:
    """Keep the group a group while it has one command."""
