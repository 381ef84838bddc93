"""What is remembered: nouns, and the only SQL, Redis and Parquet in the house."""
