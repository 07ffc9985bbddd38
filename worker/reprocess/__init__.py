"""Archives read anew by today's rules: what differs goes out as the next revision."""
