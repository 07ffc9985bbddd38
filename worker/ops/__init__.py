"""The ops port: what operators and their tools see of a running worker, and of the fleet."""
