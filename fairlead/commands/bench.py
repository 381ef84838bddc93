"""Benchmarks that anyone can repeat on data of their own machine, each in a file of its own."""

from fairlead.commands import churn, coldstart, relevance
from fairlead.commands.options import noun

app = noun("bench", "Benchmarks on public data: relevance, churn, coldstart.")

app.command()(relevance.relevance)
app.command()(churn.churn)
app.command()(coldstart.coldstart)
