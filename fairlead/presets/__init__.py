"""What a fresh installation starts with."""
