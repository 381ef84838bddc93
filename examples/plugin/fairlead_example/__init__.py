"""Plugins for Fairlead: one of every kind."""
