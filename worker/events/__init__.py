"""The public contract of the output streams: what an event holds, its envelope, and its JSON Schema."""
