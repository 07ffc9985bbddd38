"""What knows HTTP: one request a call, bounded in time, bytes and address."""
