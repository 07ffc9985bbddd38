"""What a page may put on a terminal."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from worker.cli.screen import printable


@given(st.text())
def test_no_text_steers_a_terminal(text: str) -> None:
    """Whatever a page says: no escape sequence, no control, no change of direction, no line of its own."""
    shown = printable(text)
    assert [char for char in shown if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}] == []


def test_ordinary_text_stays_as_it_is() -> None:
    """Letters of any script, and spaces."""
    assert printable("Überfahrt 夜行 naïve") == "Überfahrt 夜行 naïve"
    assert "\x1b" not in printable("\x1b]0;title\x07\x1b[2J")
