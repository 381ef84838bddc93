"""A person's own page: what they see, say and ask for, by a link that only they were handed."""
