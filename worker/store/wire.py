"""Connections that put a command on the wire with less of the loop's time than redis-py's own: half of it.

Those pack each argument in Python, and begin a task for every write, to bound the time it takes. Here a
compiled packer is used, and a write is only waited for where the one before it has not left yet: that no
answer comes in time is seen by who reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hiredis
from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Quick(AbstractConnection):
    def pack_command(self, *args: Any) -> list[bytes]:
        """The command as bytes; a name of two words is two arguments, as redis-py has it."""
        name = args[0]
        if " " in name if isinstance(name, str) else b" " in name:
            args = (*name.split(), *args[1:])
        return [hiredis.pack_command(args)]

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        """Send it. Raises as redis-py does, and drops the connection then."""
        writer = self._writer
        if (
            writer is None
            or isinstance(command, bytes | str)
            or not self.is_connected
            or writer.transport.get_write_buffer_size()
        ):
            await super().send_packed_command(command, check_health)
            return
        if check_health:
            await self.check_health()  # type: ignore[no-untyped-call]
        try:
            writer.writelines(command)
        except BaseException:
            await self.disconnect(nowait=True)
            raise


class _QuickTcp(_Quick, Connection):
    pass


class _QuickTls(_Quick, SSLConnection):
    pass


class _QuickUnix(_Quick, UnixDomainSocketConnection):
    pass


_QUICK: dict[type[AbstractConnection], type[AbstractConnection]] = {
    Connection: _QuickTcp,
    SSLConnection: _QuickTls,
    UnixDomainSocketConnection: _QuickUnix,
}


def quicken(pool: ConnectionPool) -> None:
    """Have the pool make such connections, where it makes plain ones otherwise."""
    pool.connection_class = _QUICK.get(pool.connection_class, pool.connection_class)
