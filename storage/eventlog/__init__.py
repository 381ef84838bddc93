"""Event logs: one protocol, one suite of laws."""
