"""Charts: pure functions from data and theme to a Plotly figure."""
