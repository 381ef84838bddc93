"""SQLModel rows; records elsewhere never see them. Every table of the house is listed in ``TABLES``."""
