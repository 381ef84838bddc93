"""The engine process around the pure decision: the only place of ``scoring_core`` that does IO."""
