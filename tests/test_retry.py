"""Again or burial, and for how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.outcomes import OUTCOMES, outcome
from worker.retry import JITTER_FLOOR, RETRY_AFTER_LIMIT_S, Again, Bury, RetryPolicy, decide

POLICY = RetryPolicy(max_attempts=5, base_s=5, max_s=3600)
REASONS = st.sampled_from(sorted(OUTCOMES)) | st.integers(100, 599).map("http_{}".format)
RANDOM = st.floats(0, 1, exclude_max=True)


def decided(
    reason: str = "connect", attempt: int = 0, asked_s: float | None = None, drawn: float = 0.0
) -> Again | Bury:
    return decide(reason=reason, attempt=attempt, retry_after_s=asked_s, policy=POLICY, random=lambda: drawn)


@pytest.mark.parametrize(("attempt", "ceiling_s"), [(0, 5), (1, 10), (2, 20), (3, 40)])
def test_the_backoff_doubles(attempt: int, ceiling_s: float) -> None:
    """Each failed try doubles what the delay is drawn from, between a tenth of it and the whole."""
    shortest, longest = decided(attempt=attempt), decided(attempt=attempt, drawn=1.0)
    assert isinstance(shortest, Again)
    assert isinstance(longest, Again)
    assert (shortest.delay_s, longest.delay_s) == pytest.approx((ceiling_s * JITTER_FLOOR, ceiling_s))


def test_the_last_try_is_followed_by_burial() -> None:
    """max_attempts counts all tries: after the fifth failure there is no sixth."""
    assert isinstance(decided(attempt=3), Again)
    assert decided(attempt=4) == Bury("connect")


@pytest.mark.parametrize("reason", ["http_404", "robots", "too_large", "not_article", "malformed"])
def test_what_cannot_get_better_is_buried_at_once(reason: str) -> None:
    """A reason that no time heals gets no second try."""
    assert decided(reason) == Bury(reason)


def test_retry_after_wins() -> None:
    """A server that names a time is asked no sooner, however long; a short one changes nothing."""
    assert decided("http_503", asked_s=7200) == Again(7200, "http_503")
    assert decided("http_503", asked_s=0.1, drawn=1.0) == Again(5, "http_503")


def test_more_than_a_day_is_too_long_to_wait() -> None:
    """A URL asked to wait for longer is buried."""
    assert decided("http_429", asked_s=RETRY_AFTER_LIMIT_S + 1) == Bury("http_429")
    assert decided("http_429", asked_s=RETRY_AFTER_LIMIT_S) == Again(86_400, "http_429")


def test_an_unknown_reason_is_a_fault() -> None:
    """Reasons are a closed set."""
    with pytest.raises(KeyError):
        decided("bad_luck")


@given(REASONS, st.integers(0, 10**6), st.none() | st.floats(), RANDOM, st.integers(1, 100))
def test_every_decision_keeps_the_promises(
    reason: str, attempt: int, asked_s: float | None, drawn: float, max_attempts: int
) -> None:
    """Tries are counted, delays bounded, and the server's wish kept."""
    policy = RetryPolicy(max_attempts=max_attempts, base_s=5, max_s=3600)
    decision = decide(
        reason=reason, attempt=attempt, retry_after_s=asked_s, policy=policy, random=lambda: drawn
    )
    if isinstance(decision, Again):
        assert outcome(reason).again
        assert attempt + 1 < max_attempts
        assert 5 * JITTER_FLOOR <= decision.delay_s <= RETRY_AFTER_LIMIT_S
        assert not (asked_s or 0) > decision.delay_s


@given(st.integers(0, 10**6), RANDOM)
def test_the_backoff_has_a_ceiling(attempt: int, drawn: float) -> None:
    """However often a URL failed, the delay stays under the setting."""
    policy = RetryPolicy(max_attempts=10**9, base_s=5, max_s=3600)
    decision = decide(reason="dns", attempt=attempt, retry_after_s=None, policy=policy, random=lambda: drawn)
    assert isinstance(decision, Again)
    assert decision.delay_s <= 3600
