"""What must be true after any run, whatever happened in it."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from worker.events.envelope import REPROCESSED
from worker.store.ledger import read_ledger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.store.connection import Connection
    from worker.store.keys import Keys

#: Every key that ARCHITECTURE.md's data model names, and those of them that may outlive the work.
DOCUMENTED = re.compile(
    r"ingest:queue|\{ingest:queue\}:(taken:[^:]+|numbers|workers|feeds|feed_leases|feed_clock"
    r"|(feed|feed_seen):[^:]+)"
    r"|\{ingest:clusters\}:((chosen|chosen_at):[^:]+|[^:]+:(stories|(prints|story):[^:]+))|\{ingest:\d+\}:("
    r"seq|clock|ready|later|suspects|leases|leased|settled|admitted|policy|partitions|crawl_delay|ledger"
    r"|articles|dead|habits|silent|turns"
    r"|(wait|high|habit|host|parked|address|claim|seen|robots|revisions|visit|rejected|place):.+)"
)
LASTING = re.compile(
    # A worker killed at the very end stays among the workers until another one looks.
    r"\{ingest:queue\}:(numbers|workers)|\{ingest:clusters\}:.+|\{ingest:\d+\}:"
    r"(seq|clock|settled|admitted|policy|partitions|crawl_delay|ledger|articles|dead|habits|silent"
    r"|(habit|host|parked|claim|seen|robots|revisions|visit):.+)"
)


async def faults(connection: Connection, keys: Keys, sent: Iterable[str]) -> list[str]:
    """What is wrong once `sent` URLs have all been given to the queue and the workers have stopped."""
    ends: Counter[str] = Counter()
    ids: Counter[str] = Counter()
    reprocessed = 0
    for stream in [form(n) for n in range(keys.partitions) for form in (keys.articles, keys.dead)]:
        for _, fields in await connection.command("XRANGE", stream, "-", "+"):
            ids[fields[b"id"].decode()] += 1
            if f".{REPROCESSED}".encode() in fields[b"id"]:  # no end of an accepted URL
                reprocessed += 1
            else:
                ends[fields[b"subject"].decode()] += 1
    found = [f"{url} ended {ends[url]} times" for url in sent if ends[url] != 1]
    found += [f"event {event_id} was published {n} times" for event_id, n in ids.items() if n > 1]
    ledger = await read_ledger(connection, keys)
    if not ledger.balanced:
        found.append(f"the ledger is off: {ledger}")
    if not ledger.settled:
        found.append(f"work is left: {ledger}")
    if ledger.articles + ledger.unchanged + ledger.dead != sum(ends.values()):
        found.append(f"the streams hold {sum(ends.values())} events, and the ledger says {ledger}")
    if ledger.traffic.get("reprocessed", 0) != reprocessed:
        found.append(f"the streams hold {reprocessed} reprocessed articles, and the ledger says {ledger}")
    names = [name.decode() async for page in connection.scan("*", count=1000) for name in page]
    found += [f"the key {name} is left over" for name in names if not LASTING.fullmatch(name)]
    return found
