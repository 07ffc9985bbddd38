"""`ingest status`: the ledger, and how much stands where."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.exceptions import Exit
from rich.console import Group
from rich.table import Table
from rich.text import Text

from worker.cli.examples import examples
from worker.cli.failures import Failed
from worker.cli.screen import on_terminal, print_json, print_json_line, printable, results, talk
from worker.cli.store import opened
from worker.cli.watch import watch
from worker.cli.watch_screen import HOST_STYLES
from worker.clock import SystemClock
from worker.errors import StoreUnavailable
from worker.ops.fleet import LOOK_EVERY_S, Look, looked
from worker.ops.silent_sources import SilentSource, silent_sources
from worker.settings import load_settings
from worker.store.host_states import HostState, HostStates, read_hosts
from worker.store.ledger import PLACES

if TYPE_CHECKING:
    from rich.console import RenderableType

    from worker.cli.store import Store
    from worker.settings import Settings
    from worker.store.ledger import Ledger

#: Silent sources: of more than these, the oldest silences are left out.
_SILENT, _SILENT_SHOWN = 1000, 5
_TERMINATED = 143  # 128 + SIGTERM


@dataclass(frozen=True, slots=True)
class Status:
    """What one look at Redis showed, and the hosts if they were asked for."""

    look: Look
    silent: list[SilentSource]
    hosts: HostStates | None

    def as_json(self) -> dict[str, Any]:
        """The shape that `--json` promises."""
        hosts = self.hosts and {
            "hosts": [asdict(host) for host in self.hosts.hosts],
            "hosts_complete": self.hosts.complete,
        }
        return {
            "ledger": self.look.ledger.figures(),
            "balanced": self.look.ledger.balanced,
            "reasons": self.look.ledger.reasons,
            "traffic": self.look.ledger.traffic,
            "queue": self.look.depths.inbox,
            "depths": asdict(self.look.depths),
            "overdue_s": self.look.overdue_s,
            "workers": self.look.workers,
            "silent": [asdict(source) for source in self.silent],
            **(hosts or {}),
        }


@click.command(
    epilog=examples(
        "ingest status",
        "ingest status --watch                  all that the dashboard shows, on the whole terminal",
        "ingest status --watch 10 --hosts       anew every ten seconds, with as many hosts as fit",
        "ingest status --json | jq .ledger.waiting",
    )
)
@click.option(
    "--hosts", is_flag=True, help="Show the hosts: those left alone, slowed or busy, and whose turn is next."
)
@click.option(
    "--watch",
    "every_s",
    is_flag=False,
    flag_value=LOOK_EVERY_S,
    type=click.FloatRange(0.5, 3600),
    metavar="[SECONDS]",
    help=f"Look again until Ctrl-C, every {LOOK_EVERY_S:g} seconds if not told otherwise.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; with --watch, a line for each look.")
def status(*, hosts: bool, every_s: float | None, as_json: bool) -> None:
    """Show the ledger: where every accepted URL is.

    accepted = articles + unchanged + dead + waiting + leased, at every moment. When that does not hold, some
    of Redis' data was lost or changed by hand, and the exit code is 1. Refused URLs (duplicates) are counted
    apart. What still stands in the queue is not accepted yet.

    With --hosts: an open host failed time after time, and only a probe tries it now and then; a penalised one
    asked for rest (429, 503); a slowed one rests for longer than INGEST_HOST_SPACING_S.

    With --watch: on a terminal, the dashboard; it fills the screen, and waits for a Redis that is away. In a
    pipe or with --json, the same as without --watch, time after time, and stderr tells when Redis is away.

    Settings: INGEST_REDIS_URL, INGEST_NAMESPACE, INGEST_PARTITIONS.
    """
    settings = load_settings()
    if every_s is not None:
        _watched(settings, every_s, hosts=hosts, as_json=as_json)
        return
    seen = asyncio.run(_status(settings, hosts=hosts))
    _say(seen, as_json=as_json)
    if not seen.look.ledger.balanced:
        raise Failed(
            "the ledger does not balance: Redis lost data, or keys were changed by hand. What is in the "
            "streams is right; the figures are not."
        )


async def _status(settings: Settings, *, hosts: bool) -> Status:
    async with opened(settings) as store:
        return await look(store, hosts=hosts)


def _say(seen: Status, *, as_json: bool) -> None:
    if as_json:
        print_json(seen.as_json())
    else:
        results().print(shown(seen))


def _watched(settings: Settings, every_s: float, *, hosts: bool, as_json: bool) -> None:
    """Watch until a signal. Raises KeyboardInterrupt for Ctrl-C, and Exit for SIGTERM."""
    try:
        asyncio.run(_watch(settings, every_s, hosts=hosts, as_json=as_json))
    except asyncio.CancelledError:
        raise Exit(_TERMINATED) from None


async def _watch(settings: Settings, every_s: float, *, hosts: bool, as_json: bool) -> None:
    if task := asyncio.current_task():
        # A screen that is left must be given back, also where `timeout` ends us.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    console = results()
    if on_terminal() and not console.is_dumb_terminal and not as_json:
        await watch(settings, console, every_s=every_s, hosts_only=hosts)
    async with opened(settings) as store:
        await _watch_lines(store, every_s, hosts=hosts, as_json=as_json)


async def _watch_lines(store: Store, every_s: float, *, hosts: bool, as_json: bool) -> NoReturn:
    away, clock = False, SystemClock()
    while True:
        try:
            seen = await look(store, hosts=hosts)
        except StoreUnavailable as error:
            if not away:
                talk().print(f"ingest: {error}; asked again every {every_s:g} s")
            away = True
        else:
            if away:
                talk().print("ingest: Redis answers again")
            away = False
            if as_json:
                print_json_line(seen.as_json())
            else:
                results().print(Text(f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"), shown(seen), Text(), sep="\n")
        await asyncio.sleep(every_s)


async def look(store: Store, *, hosts: bool = False) -> Status:
    """One look at all figures."""
    return Status(
        look=await looked(store.connection, store.keys, store.inbox, SystemClock()),
        silent=await silent_sources(store.connection, store.keys, _SILENT),
        hosts=await read_hosts(store.connection, store.keys) if hosts else None,
    )


def shown(seen: Status) -> RenderableType:
    """The figures for eyes."""
    parts: list[RenderableType] = [ledger_line(seen.look.ledger), _details(seen)]
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
    depths = seen.look.depths
    rows = {
        "queue": f"{depths.inbox:,} waiting for a worker to take them, {depths.taken:,} taken",
        "frontier": f"{depths.ready_hosts:,} hosts ready, {depths.later:,} URLs for later, "
        f"{depths.suspects:,} suspects, {depths.leases:,} leases",
        "streams": f"{depths.articles_stream:,} articles, {depths.dead_stream:,} dead letters",
        "reasons": _counts(seen.look.ledger.reasons),
        "traffic": _counts(seen.look.ledger.traffic),
        "workers": ", ".join(seen.look.workers) or "none",
        "silent": _silent(seen.silent),
    }
    for name, text in rows.items():
        table.add_row(Text(name, "dim"), Text(text))
    return table


def _silent(sources: list[SilentSource]) -> str:
    shown_here = [
        f"{printable(each.source)} since {each.since[:19]}Z ({each.why})" for each in sources[:_SILENT_SHOWN]
    ]
    more = len(sources) - len(shown_here)
    return ", ".join(shown_here + ([f"and {more:,} more"] if more else [])) or "none"


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
    says = {"open": f"open ({host.opened})", "half-open": "half-open: one probe"}
    return Text(says.get(host.condition, host.condition), HOST_STYLES.get(host.condition, "dim"))
