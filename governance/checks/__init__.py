"""Audits: one file per check, all listed in ``AUDITS`` of ``governance.checks.protocol``."""
