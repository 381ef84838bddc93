"""What ranks candidates."""
