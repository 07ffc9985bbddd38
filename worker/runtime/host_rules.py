"""The hosts' rules: given to the fleet at the start, and anew on SIGHUP."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from worker.errors import Misconfigured
from worker.settings import host_rules
from worker.store.hosts import HostPolicy
from worker.telemetry.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.settings import HostOverride, Settings
    from worker.store.hosts import Hosts


def policy_of(settings: Settings) -> HostPolicy:
    """The fleet's policy, as the settings say."""
    return HostPolicy(
        spacing_s=settings.host_spacing_s,
        slots=settings.host_slots,
        delay_factor=settings.host_delay_factor,
        delay_max_s=settings.host_delay_max_s,
        penalty_s=settings.host_penalty_s,
        penalty_max_s=settings.host_penalty_max_s,
        breaker_failures=settings.breaker_failures,
        breaker_s=settings.breaker_s,
        breaker_max_s=settings.breaker_max_s,
        address_slots=settings.address_slots,
    )


class RulesReloader:
    """Reads the hosts' file anew whenever `asked` is set."""

    def __init__(self, hosts: Hosts, settings: Settings, asked: asyncio.Event) -> None:
        self._hosts = hosts
        self._settings = settings
        self._asked = asked

    async def run(self, stopping: asyncio.Event) -> None:
        """Reload whenever asked, until `stopping`."""
        stop = asyncio.ensure_future(stopping.wait())
        stop.add_done_callback(lambda _: self._asked.set())
        try:
            while True:
                await self._asked.wait()
                self._asked.clear()
                if stopping.is_set():
                    return
                await self.reload()
        finally:
            stop.cancel()

    async def reload(self) -> None:
        """Give the fleet what the file says now; a faulty file changes nothing, and the log says why."""
        path = str(self._settings.hosts_file)
        try:
            rules: Mapping[str, HostOverride] = host_rules(self._settings)
        except Misconfigured as error:
            get_logger().error("host_rules_refused", path=path, error=str(error))
            return
        await self._hosts.configure(policy_of(self._settings), rules)
        get_logger().info("host_rules_loaded", path=path, hosts=len(rules))
