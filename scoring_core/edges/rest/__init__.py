"""The engine's HTTP routes."""
