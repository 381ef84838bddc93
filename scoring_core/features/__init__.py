"""What a scorer knows of a candidate."""
