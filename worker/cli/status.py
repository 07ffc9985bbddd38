"""`ingest status`: the ledger, and how much stands where."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from worker.cli.examples import examples
from worker.cli.failures import Failed
from worker.cli.screen import on_terminal, print_json, print_json_line, printable, results
from worker.cli.store import opened
from worker.settings import load_settings
from worker.store.host_states import HostState, HostStates, read_hosts
from worker.store.ledger import PLACES, Depths, Ledger, read_depths, read_ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from worker.cli.store import Store
    from worker.settings import Settings

_WATCH_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Status:
    """What one look at Redis showed."""

    ledger: Ledger
    depths: Depths
    workers: list[str]
    hosts: HostStates | None

    def as_json(self) -> dict[str, Any]:
        """The shape that `--json` promises."""
        hosts = self.hosts and {
            "hosts": [asdict(host) for host in self.hosts.hosts],
            "hosts_complete": self.hosts.complete,
        }
        return {
            "ledger": self.ledger.figures(),
            "balanced": self.ledger.balanced,
            "reasons": self.ledger.reasons,
            "traffic": self.ledger.traffic,
            "queue": self.depths.inbox,
            "depths": asdict(self.depths),
            "workers": self.workers,
            **(hosts or {}),
        }


@click.command(
    epilog=examples(
        "ingest status",
        "ingest status --watch --hosts          anew every second, with the hosts that matter most",
        "ingest status --json | jq .ledger.waiting",
    )
)
@click.option(
    "--hosts", is_flag=True, help="Show the hosts: those left alone, slowed or busy, and whose turn is next."
)
@click.option("--watch", is_flag=True, help="Look again every second until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; with --watch, one line a second.")
def status(*, hosts: bool, watch: bool, as_json: bool) -> None:
    """Show the ledger: where every accepted URL is.

    accepted = articles + unchanged + dead + waiting + leased, at every moment. When that does not hold, some
    of Redis' data was lost or changed by hand, and the exit code is 1. Refused URLs (duplicates) are counted
    apart. What still stands in the queue is not accepted yet.

    With --hosts: an open host failed time after time, and only a probe tries it now and then; a penalised one
    asked for rest (429, 503); a slowed one rests for longer than INGEST_HOST_SPACING_S.

    Settings: INGEST_REDIS_URL, INGEST_NAMESPACE, INGEST_PARTITIONS.
    """
    seen = asyncio.run(_status(load_settings(), hosts=hosts, watch=watch, as_json=as_json))
    if not seen.ledger.balanced:
        raise Failed(
            "the ledger does not balance: Redis lost data, or keys were changed by hand. What is in the "
            "streams is right; the figures are not."
        )


async def _status(settings: Settings, *, hosts: bool, watch: bool, as_json: bool) -> Status:
    async with opened(settings) as store:
        with _display(watch=watch, as_json=as_json) as show:
            while True:
                seen = await look(store, hosts=hosts)
                show(seen)
                if not watch:
                    return seen
                await asyncio.sleep(_WATCH_EVERY_S)


@contextmanager
def _display(*, watch: bool, as_json: bool) -> Iterator[Callable[[Status], None]]:
    if as_json:
        yield lambda seen: (print_json_line if watch else print_json)(seen.as_json())
    elif watch and on_terminal():
        with Live(console=results(), auto_refresh=False) as live:
            yield lambda seen: live.update(shown(seen), refresh=True)
    else:
        yield lambda seen: results().print(shown(seen))


async def look(store: Store, *, hosts: bool = False) -> Status:
    """One look at all figures."""
    return Status(
        ledger=await read_ledger(store.connection, store.keys),
        depths=await read_depths(store.connection, store.keys, taken=await store.inbox.taken()),
        workers=await store.inbox.workers(),
        hosts=await read_hosts(store.connection, store.keys) if hosts else None,
    )


def shown(seen: Status) -> RenderableType:
    """The figures for eyes."""
    parts: list[RenderableType] = [ledger_line(seen.ledger), _details(seen)]
    if seen.hosts is not None:
        parts.append(_hosts(seen.hosts))
    return Group(*parts)


def ledger_line(ledger: Ledger) -> Text:
    """The ledger as the equation that it is."""
    sum_of = " + ".join(f"{getattr(ledger, name):,} {name}" for name in PLACES)
    verdict = ("  balanced", "green") if ledger.balanced else ("  DOES NOT BALANCE", "bold red")
    equation = f"{ledger.accepted:,} accepted = {sum_of}"
    return Text.assemble((equation, "bold"), verdict, f"\n{ledger.refused:,} refused")


def _details(seen: Status) -> Table:
    table = Table.grid(padding=(0, 2))
    depths = seen.depths
    rows = {
        "queue": f"{depths.inbox:,} waiting for a worker to take them, {depths.taken:,} taken",
        "frontier": f"{depths.ready_hosts:,} hosts ready, {depths.later:,} URLs for later, "
        f"{depths.suspects:,} suspects, {depths.leases:,} leases",
        "streams": f"{depths.articles_stream:,} articles, {depths.dead_stream:,} dead letters",
        "reasons": _counts(seen.ledger.reasons),
        "traffic": _counts(seen.ledger.traffic),
        "workers": ", ".join(seen.workers) or "none",
    }
    for name, text in rows.items():
        table.add_row(Text(name, "dim"), Text(text))
    return table


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"


def _hosts(states: HostStates) -> RenderableType:
    columns = ("host", "state", "waiting", "in work", "next in", "spacing", "strikes", "Crawl-delay")
    table = Table(*columns, box=None, padding=(0, 2), header_style="dim")
    for host in states.hosts:
        table.add_row(
            printable(host.host),
            _host_state(host),
            f"{host.waiting:,}",
            f"{host.in_work} of {host.slots}",
            f"{host.due_in_s:.1f} s",
            f"{host.spacing_s:g} s",
            str(host.strikes or ""),
            f"{host.crawl_delay_s:g} s" if host.crawl_delay_s else "",
        )
    if states.complete:
        return table
    return Group(
        table, Text("There are more keys in Redis than one look passes over: hosts are missing.", "dim")
    )


def _host_state(host: HostState) -> Text:
    match host.condition:
        case "open":
            return Text(f"open ({host.opened})", "bold red")
        case "half-open":
            return Text("half-open: one probe", "red")
        case "penalised" | "slowed":
            return Text(host.condition, "yellow")
        case _:
            return Text(host.condition, "dim")
