"""Learning from the lake: data sets, training, calibration, evaluation, promotion."""
