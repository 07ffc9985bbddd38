"""What can be seen from outside: log lines, their catalogue, and the figures of `worker_stats`."""
