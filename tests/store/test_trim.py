"""trim: articles go only once every consumer group has acknowledged them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.store.acting import EVENT

if TYPE_CHECKING:
    from tests.store.acting import Act

#: A stream's node holds a hundred entries by default, and approximate trimming drops whole nodes.
ENTRIES = 250


async def published(act: Act) -> str:
    """A stream of articles; returns its key."""
    for _ in range(ENTRIES):
        await act.connection.command(
            "XADD", act.keys.articles(), "*", *(w for kv in EVENT.items() for w in kv)
        )
    return act.keys.articles()


async def test_without_a_group_nothing_goes(act: Act) -> None:
    """Nobody has read anything: everything is kept; nor does a missing stream matter."""
    assert await act.frontier.trim() == 0
    await published(act)
    assert await act.frontier.trim() == 0


async def test_unread_and_unacknowledged_stay(act: Act) -> None:
    """What one group has not read, or read and not acknowledged, no other group's progress drops."""
    key = await published(act)
    for group in ("quick", "slow"):
        await act.connection.command("XGROUP", "CREATE", key, group, 0)
    read = await act.connection.command("XREADGROUP", "GROUP", "quick", "c", "STREAMS", key, ">")
    entries = read[0][1] if isinstance(read, list) else read[key.encode()][0]
    ids = [entry for entry, _ in entries]
    await act.connection.command("XACK", key, "quick", *ids)
    assert await act.frontier.trim() == 0
    await act.connection.command("XREADGROUP", "GROUP", "slow", "c", "STREAMS", key, ">")
    assert await act.frontier.trim() == 0
    await act.connection.command("XACK", key, "slow", *ids[1:])
    assert await act.frontier.trim() == 0
    await act.connection.command("XACK", key, "slow", ids[0])
    dropped = await act.frontier.trim()
    assert dropped == 200
    assert await act.connection.command("XLEN", key) == ENTRIES - dropped
    assert (await act.ledger()).traffic == {"trimmed": dropped}


async def test_names_left_behind_are_forgotten(act: Act) -> None:
    """A consumer that has nothing pending goes once it is idle for long; one that has something stays."""
    key = await published(act)
    await act.connection.command("XGROUP", "CREATE", key, "g", 0)
    for consumer in ("done", "busy"):
        await act.connection.command(*("XREADGROUP", "GROUP", "g", consumer, "COUNT", 1, "STREAMS", key, ">"))
    (first, *_) = await act.connection.command("XPENDING", key, "g", "-", "+", 1, parse_detail=True)
    await act.connection.command("XACK", key, "g", first["message_id"])
    assert await consumers(act, key) == {b"done", b"busy"}
    await act.frontier.trim()
    assert await consumers(act, key) == {b"done", b"busy"}  # an hour has not passed
    await act.connection.run("trim", [act.keys.tag(0)], [0])
    assert await consumers(act, key) == {b"busy"}
    assert (await act.connection.command("XPENDING", key, "g"))["pending"] == 1


async def consumers(act: Act, key: str) -> set[bytes]:
    """The names in the group g."""
    infos = await act.connection.command("XINFO", "CONSUMERS", key, "g")
    pairs = [
        info.items() if isinstance(info, dict) else zip(info[::2], info[1::2], strict=True) for info in infos
    ]
    return {dict(pair)[b"name"] for pair in pairs}
