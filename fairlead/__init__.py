"""Who meets whom: command line, settings, wiring, schedule, supervisor; nobody imports it."""

__version__ = "0.1.0"
