"""What is shown: a thin client of the control API and of storage's readers; it never writes."""
