"""What the parties around Redis may do, what goes over the wire, and what never gets into a log."""
