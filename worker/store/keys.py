"""The names of all Redis keys. ARCHITECTURE.md's data model says what each holds.

A partition's keys share one hash tag, so that each script stays in one slot of a cluster; the inbox and what
belongs to it share another (`{ingest:queue}` hashes like the plain `ingest:queue`, which producers know).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """All key names under one namespace."""

    namespace: str = "ingest"
    partitions: int = 1

    @property
    def queue(self) -> str:
        """The public inbox: a list that any producer RPUSHes to."""
        return f"{self.namespace}:queue"

    def taken(self, worker: str) -> str:
        """What that worker took from the inbox and has not admitted yet: a list."""
        return f"{{{self.namespace}:queue}}:taken:{worker}"

    @property
    def numbers(self) -> str:
        """The last number given to an inbox item: a counter."""
        return f"{{{self.namespace}:queue}}:numbers"

    @property
    def workers(self) -> str:
        """Worker → until when it counts as alive (ms): a zset."""
        return f"{{{self.namespace}:queue}}:workers"

    @property
    def feeds(self) -> str:
        """Feed id → when it is due (ms): a zset."""
        return f"{{{self.namespace}:queue}}:feeds"

    def feed(self, feed_id: str) -> str:
        """What is known of a feed: a hash."""
        return f"{{{self.namespace}:queue}}:feed:{feed_id}"

    @property
    def clusters(self) -> str:
        """The tag that every key of stories starts with."""
        return f"{{{self.namespace}:clusters}}"

    def chosen(self, group: str) -> str:
        """Cluster → the article that this consumer group was given of it: a hash."""
        return f"{self.clusters}:chosen:{group}"

    def chosen_at(self, group: str) -> str:
        """Cluster → when its last event came to this consumer group (ms): a zset."""
        return f"{self.clusters}:chosen_at:{group}"

    def tag(self, partition: int) -> str:
        """The tag that every key of the partition starts with."""
        return f"{{{self.namespace}:{partition}}}"

    @property
    def tags(self) -> list[str]:
        """The tags of all partitions."""
        return [self.tag(partition) for partition in range(self.partitions)]

    @property
    def partition_count(self) -> str:
        """How many partitions the workers have, for readers: a number. Beside the streams of partition 0."""
        return f"{self.tag(0)}:partitions"

    def articles(self, partition: int = 0) -> str:
        """The stream of article events."""
        return f"{self.tag(partition)}:articles"

    def dead(self, partition: int = 0) -> str:
        """The stream of dead letters."""
        return f"{self.tag(partition)}:dead"

    def rejected(self, group: str, partition: int = 0) -> str:
        """What that consumer group gave up: a hash."""
        return f"{self.tag(partition)}:rejected:{group}"

    def place(self, group: str) -> str:
        """Where the sink of that consumer group writes to: a string."""
        return f"{self.tag(0)}:place:{group}"

    def ledger(self, partition: int = 0) -> str:
        """The counters: a hash."""
        return f"{self.tag(partition)}:ledger"

    def part(self, partition: int, name: str) -> str:
        """Any other key of a partition, such as ready, later, suspects or robots:<origin>."""
        return f"{self.tag(partition)}:{name}"
