"""What is decided; pure, IO only in ``edges``."""
