"""Statistics of comparisons between arms that may be looked at as often as one likes."""
