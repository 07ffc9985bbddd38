"""Counting by names that strangers choose."""

from __future__ import annotations

from worker.cli.logs.tallies import Host, Span, Tally, Trouble


def test_the_lightest_are_forgotten_and_that_is_told() -> None:
    """Beyond the limit, what matters least makes room, and what matters most stays."""
    hosts = Tally(Host, 10)
    hosts.of("slow.example").total_ms = 9000
    for number in range(1000):
        hosts.of(f"h{number}.example").total_ms = 1
    assert len(hosts) <= 10
    assert not hosts.complete
    assert hosts.heaviest(1)[0].host == "slow.example"


def test_within_the_limit_all_is_kept() -> None:
    """A name met again is the same entry."""
    spans = Tally(Span, 2)
    for at_s in (5.0, 1.0, 3.0):
        spans.of("e").note(at_s)
    (entry,) = spans.heaviest()
    assert spans.complete
    assert (entry.count, entry.first_s, entry.last_s) == (3, 1.0, 5.0)


def test_a_trouble_lasts_until_it_ends_or_its_worker_does() -> None:
    """What began and did not end is told apart."""
    trouble = Trouble()
    for worker in ("w1", "w2", "w3"):
        trouble.begin(worker, 10)
    trouble.end("w1", 2.5)
    trouble.forget("w2")
    assert (trouble.times, trouble.total_s, trouble.lasting) == (3, 2.5, 1)
