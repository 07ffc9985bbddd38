"""A client and connections that take a third of the loop's time that redis-py's own do.

Those pack each argument in Python, begin a task for every write, to bound the time it takes, and pass each
call through a lock, two loops for repeats and six meters that nobody reads. Here a compiled packer is used, a
write is only waited for where the one before it has not left yet (that no answer comes in time is seen by who
reads it), and connections between two calls wait beside the pool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hiredis
from redis.asyncio import Redis
from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.exceptions import ConnectionError  # noqa: A004 - redis-py's

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


#: More are closed when their calls have ended; who asks for more at once opens new ones.
_WAITING_AT_MOST = 128


class QuickRedis(Redis):
    """A client whose calls are each made once."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        pool = self.connection_pool
        pool.connection_class = _QUICK.get(pool.connection_class, pool.connection_class)
        #: In use, for the pool, so that closing it closes them.
        self._waiting: list[AbstractConnection] = []

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """The reply to one command. Raises as redis-py does; nothing is repeated."""
        connection = await self._connected()
        try:
            await connection.send_command(*args)
            return await self.parse_response(connection, args[0], **options)
        finally:
            # Whatever ended in the middle has closed the connection: no reply is left in one that is open.
            if connection.is_connected and len(self._waiting) < _WAITING_AT_MOST:
                self._waiting.append(connection)
            else:
                await self.connection_pool.release(connection)

    async def _connected(self) -> Any:
        while self._waiting:
            connection, usable = self._waiting.pop(), False
            try:
                # Bytes that nobody asked for, or its end.
                usable = connection.is_connected and not await connection.can_read()
            except ConnectionError:
                pass
            finally:
                if not usable:
                    await connection.disconnect(nowait=True)
                    await self.connection_pool.release(connection)
            if usable:
                return connection
        return await self.connection_pool.get_connection()  # type: ignore[no-untyped-call]

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close it, and all connections."""
        self._waiting.clear()
        await super().aclose(close_connection_pool)
