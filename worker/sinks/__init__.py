"""Sinks: where events go from the streams. Each writes at least once, and knows events by source and id.

A sink's `write` returns once what it was given will outlive a crash, and only then is the batch
acknowledged; what was written and not acknowledged comes again, and is known again.
"""
