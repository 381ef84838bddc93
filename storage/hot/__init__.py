"""Hot stores: features that a request may wait for."""
