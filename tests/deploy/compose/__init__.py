"""docker-compose.yml for real: a project of a test's own, and what runs in its containers."""
