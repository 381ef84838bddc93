"""The shared nouns, frozen; each file holds one noun of the domain."""
