"""What is on its way is on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from worker.errors import SinkUnusable
from worker.sinks.outbox import Letter, Outbox

if TYPE_CHECKING:
    from pathlib import Path


def letter(number: int) -> Letter:
    """A letter."""
    return Letter(f"a.{number}", "{ingest:0}:articles", f"{number}-0", b"{}")


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    """An outbox, open."""
    outbox = Outbox(tmp_path / "outbox")
    outbox.open()
    return outbox


def ids(letters: list[Letter]) -> list[str]:
    """Their events' ids."""
    return [each.event_id for each in letters]


def test_letters_go_in_their_order(outbox: Outbox) -> None:
    """One that was postponed goes with those that came when it was due again; each is there once."""
    assert outbox.add([letter(1), letter(2)], 10.0) == 2
    assert outbox.add([letter(2), letter(3)], 20.0) == 1
    assert outbox.count == 3
    outbox.postpone("a.1", 15.0, "500")
    assert ids(outbox.due(14.0, 9, ())) == ["a.2"]
    assert ids(outbox.due(20.0, 9, ())) == ["a.2", "a.1", "a.3"]
    assert ids(outbox.due(20.0, 1, {"a.2"})) == ["a.1"]
    assert outbox.next_due_s({"a.2", "a.1"}) == 20.0
    assert [each.attempts for each in outbox.due(20.0, 9, ())] == [0, 1, 0]
    outbox.close()


def test_it_is_there_after_a_kill(outbox: Outbox) -> None:
    """What was added is kept, what was delivered is gone, without a last word."""
    outbox.add([letter(1), letter(2)], 1.0)
    outbox.remove("a.1")
    outbox._lock.release()
    again = Outbox(outbox.path)
    again.open()
    assert again.count == 1
    assert again.due(1.0, 9, ()) == [letter(2)]
    again.close()
    outbox.close()


def test_another_file_is_no_outbox(tmp_path: Path) -> None:
    """It is told, and left as it is."""
    path = tmp_path / "outbox"
    path.write_bytes(b"years of work" * 1000)
    with pytest.raises(SinkUnusable, match="--outbox"):
        Outbox(path).open()
    assert path.read_bytes() == b"years of work" * 1000
