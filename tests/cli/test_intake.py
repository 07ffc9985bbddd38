"""From lines to items of the queue."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.cli.intake import DUPLICATE, Intake, Refusal, lines_of
from worker.urls import ITEM_LIMIT_BYTES

URL = b"http://a.example/1"


@dataclass
class Chunks:
    """A file that hands over given pieces."""

    pieces: list[bytes]

    def read1(self, size: int, /) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""


def _lines(*pieces: bytes) -> list[bytes]:
    return [line for lines in lines_of(Chunks([piece for piece in pieces if piece])) for line in lines]


def test_plain_urls_are_pushed_as_they_are() -> None:
    """Nothing is wrapped and nothing is rewritten."""
    assert Intake().sift([b"  HTTP://A.example/1#x \r"]) == ([b"HTTP://A.example/1#x"], [])


def test_empty_lines_and_comments_are_skipped_and_counted() -> None:
    """The line number of a refusal is the one that an editor shows."""
    assert Intake().sift([b"", b"# a comment", URL, b"foo"])[1] == [
        Refusal(4, "foo", "not an absolute URL such as https://example.com/news")
    ]


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (b"ftp://a.example/", "only http and https"),
        (b'{"url": 3}', "url is not a string"),
        (b'{"url": "http://a.example/", "prio": 1}', "unknown prio"),
        (b"{broken", "broken JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"http://a.example/" + b"x" * ITEM_LIMIT_BYTES, "over"),
    ],
)
def test_what_can_never_be_a_task_is_refused(item: bytes, why: str) -> None:
    """The refusal says what is wrong with it, and its neighbours go on."""
    pushable, (refusal,) = Intake().sift([URL, item])
    assert pushable == [URL]
    assert why in refusal.why


def test_a_repeat_is_refused_by_its_canonical_form() -> None:
    """A tracking parameter does not make another URL."""
    intake = Intake()
    pushable, (refusal,) = intake.sift([URL, URL + b"?utm_source=x", URL + b"?page=2"])
    assert pushable == [URL, URL + b"?page=2"]
    assert (refusal.why, intake.refused[DUPLICATE]) == (DUPLICATE, 1)


def test_forced_repeats_are_pushed() -> None:
    """With --force, or `force` in the line, a repeat is meant."""
    assert len(Intake({"force": True}).sift([URL, URL])[0]) == 2
    assert len(Intake().sift([URL, b'{"url": "http://a.example/1", "force": true}'])[0]) == 2


def test_wishes_make_objects_and_lines_win_over_them() -> None:
    """Options fill in what a line leaves open."""
    intake = Intake({"priority": "high", "meta": {"feed": 7}})
    own = b'{"url": "http://b.example/", "priority": "normal", "meta": null}'
    pushable, _ = intake.sift([URL, own])
    assert [orjson.loads(item) for item in pushable] == [
        {"url": URL.decode(), "priority": "high", "meta": {"feed": 7}},
        {"url": "http://b.example/", "priority": "normal", "meta": {"feed": 7}},
    ]


@given(st.lists(st.binary(min_size=1, max_size=8)))
def test_lines_do_not_depend_on_how_they_arrive(pieces: list[bytes]) -> None:
    """However a file is cut into reads, its lines are the same."""
    expected = b"".join((b"#", *pieces)).split(b"\n")  # no byte order mark at the start
    assert _lines(b"#", *pieces) == (expected if expected[-1] else expected[:-1])


def test_a_byte_order_mark_is_not_of_the_first_line() -> None:
    """Files of Windows' editors begin with one."""
    assert _lines(b"\xef\xbb\xbf" + URL + b"\r\n") == [URL + b"\r"]


def test_complete_lines_do_not_wait_for_the_rest() -> None:
    """What a slow pipe has sent is handed on before it sends more."""
    file = Chunks([URL + b"\nhttp://a.ex", b"ample/2\n"])
    assert next(lines_of(file)) == [URL]
    assert file.pieces


def test_an_endless_line_fills_no_memory() -> None:
    """Of a line longer than any item, no more is kept than shows that it is."""
    (line,) = _lines(*[b"x" * 60_000] * 10)
    assert len(line) == ITEM_LIMIT_BYTES + 1
