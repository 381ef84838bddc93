"""Alerts: from the verdicts of checks and the budgets of objectives to the person whose work it is."""
