"""Where a sink's group writes to: kept in Redis, so that a second place does not get half of the events."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from worker.cli.failures import WrongSettings
from worker.cli.screen import talk
from worker.cli.store import opened
from worker.errors import StoreUnavailable
from worker.store.consumer_group import ConsumerGroup

if TYPE_CHECKING:
    from worker.cli.sink.running import Wishes
    from worker.settings import Settings


async def settle_place(settings: Settings, wishes: Wishes, place: str) -> None:
    """Keep `place` for the group, and say so where --from changes nothing.

    Raises WrongSettings where the group writes elsewhere, and StoreUnusable where Redis refuses us for good.
    While Redis is away nothing is looked at: the sink waits for it, and says so.
    """
    with suppress(StoreUnavailable):
        async with opened(settings) as store:
            name = store.keys.dead if wishes.streams == ("dead",) else store.keys.articles
            is_made = await ConsumerGroup(store.connection, wishes.group, "").is_made(name())
            if is_made and wishes.start is not None:
                talk().print(
                    f"the group {wishes.group} is there: it goes on where it was, whatever --from says"
                )
            key = store.keys.place(wishes.group)
            before = (
                await store.connection.command("HGET", key, "place") if is_made and not wishes.moved else None
            )
            if before is None:
                await store.connection.command("HSET", key, "place", place)
            elif before.decode() != place:
                raise WrongSettings(
                    f"the group {wishes.group} writes to {before.decode()}, and this would share its events: "
                    "--group NAME begins another one here, --moved takes this one along"
                )
