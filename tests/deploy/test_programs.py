"""Programs that are not there: a test is skipped, or fails where they must be."""

from __future__ import annotations

import pytest

from tests.deploy.programs import program


def test_a_program_that_is_missing_skips_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names what to install."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("TEST_REQUIRE", "promtool")
    with pytest.raises(pytest.skip.Exception, match="Debian's package mtail"):
        program("mtail")


def test_one_that_must_be_there_fails_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where TEST_REQUIRE names it, as CI does, nothing is passed over in silence."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("TEST_REQUIRE", "mtail,promtool")
    with pytest.raises(pytest.fail.Exception, match=r"TEST_REQUIRE.*Debian's package mtail"):
        program("mtail")
