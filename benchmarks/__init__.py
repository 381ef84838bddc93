"""Speed, measured in one run against a floor; each module prints machine-readable JSON."""
