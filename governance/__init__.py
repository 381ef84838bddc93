"""What is allowed, and whether it went well."""
