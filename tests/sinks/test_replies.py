"""What a receiver's answer means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.sinks.replies import Again, Answer, Delivered, Gone, Refused, Verdict, judge


def judged(
    status: int | None, *, attempts: int = 0, in_row: int = 0, asked_s: float | None = None
) -> Verdict:
    """The verdict with the longest backoff that chance can draw."""
    answer = Answer(status, "", asked_s)
    return judge(answer, attempts=attempts, failures_in_row=in_row, max_attempts=3, random=lambda: 1.0)


@pytest.mark.parametrize(
    ("status", "first", "last"),
    [
        (200, Delivered(), Delivered()),
        (299, Delivered(), Delivered()),
        (410, Gone(), Gone()),
        (400, Again(5, 0), Refused()),
        (413, Again(5, 0), Refused()),
        (415, Again(5, 0), Refused()),
        (422, Again(5, 0), Refused()),
        (301, Again(5, 1), Again(20, 1)),
        (401, Again(5, 1), Again(20, 1)),
        (403, Again(5, 1), Again(20, 1)),
        (404, Again(5, 1), Again(20, 1)),
        (408, Again(5, 1), Again(20, 1)),
        (425, Again(5, 1), Again(20, 1)),
        (500, Again(5, 0), Again(20, 0)),
        (429, Again(5, 1), Again(20, 1)),
        (502, Again(5, 1), Again(20, 1)),
        (503, Again(5, 1), Again(20, 1)),
        (504, Again(5, 1), Again(20, 1)),
        (None, Again(5, 1), Again(20, 1)),
    ],
)
def test_statuses(status: int | None, first: Verdict, last: Verdict) -> None:
    """At the first attempt, and at the third of three."""
    assert judged(status) == first
    assert judged(status, attempts=2) == last


def test_the_receiver_is_asked_more_and_more_rarely() -> None:
    """Each failure in a row doubles its rest, up to five minutes; those of an event, up to an hour."""
    rests = [judged(503, attempts=n, in_row=n) for n in range(20)]
    assert [each.rest_s for each in rests if isinstance(each, Again)] == [
        min(2.0**n, 300.0) for n in range(20)
    ]
    assert [each.delay_s for each in rests if isinstance(each, Again)] == [
        min(5 * 2.0**n, 3600.0) for n in range(20)
    ]


def test_retry_after_is_kept() -> None:
    """For the receiver where the answer is to all, else for the event; never for longer than a day."""
    assert judged(503, asked_s=700) == Again(700, 700)
    assert judged(400, asked_s=700) == Again(700, 0)
    assert judged(429, asked_s=10**6) == Again(86_400, 86_400)


@given(
    st.integers(100, 599) | st.none(),
    st.integers(0, 2000),
    st.integers(0, 2000),
    st.floats(0, 1),
    st.floats(0, 10**9) | st.none(),
)
def test_delays_are_bounded(
    status: int | None, attempts: int, in_row: int, drawn: float, asked_s: float | None
) -> None:
    """Whatever happened before, another attempt comes, and not at once."""
    answer = Answer(status, "", asked_s)
    verdict = judge(answer, attempts=attempts, failures_in_row=in_row, max_attempts=5, random=lambda: drawn)
    if isinstance(verdict, Again):
        assert 2.5 <= verdict.delay_s <= 86_400
        assert verdict.rest_s == 0 or 0.5 <= verdict.rest_s <= 86_400
