"""Other model servers on the same work: MLServer, BentoML and LitServe, each in an environment of its own."""
