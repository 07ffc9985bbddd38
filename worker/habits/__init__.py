"""What a source is used to: how often its articles come, and what is found in them. Pure."""
