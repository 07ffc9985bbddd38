"""Which line of a robots.txt decides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.fetch.robots import RobotsFile, RobotsRules
from worker.fetch.robots_rule import deciding_rule

AGENT = "ingest/1.0 (+https://example.com/other)"
TEXT = """User-agent: other
Disallow: /

User-agent: ingest
User-agent: third
Disallow: /a   # closed
allow: /a/b
Crawl-delay: 2
Disallow: /a/b/*/d$
Dissallow /misspelt
Disallow: /ä

User-agent: *
Disallow: /for-all
"""


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/", None),
        ("/a", "Disallow: /a   # closed"),
        ("/a/b/e", "allow: /a/b"),
        ("/a/b/c/d", "Disallow: /a/b/*/d$"),
        ("/a/b/c/d/e", "allow: /a/b"),
        ("/misspelt/1", "Dissallow /misspelt"),
        ("/%C3%A4/1", "Disallow: /ä"),
        ("/for-all", None),
    ],
)
def test_the_longest_match_of_our_group_decides(path: str, rule: str | None) -> None:
    """The line is quoted as written; rules of other crawlers' groups are none."""
    assert deciding_rule(RobotsFile("rules", TEXT), AGENT, f"http://a.example{path}") == rule


def test_a_file_that_is_none_has_no_rules() -> None:
    """Neither a missing robots.txt nor an unreachable one decides by a line."""
    assert deciding_rule(RobotsFile("allow_all"), AGENT, "http://a.example/") is None
    assert deciding_rule(RobotsFile("unreachable"), AGENT, "http://a.example/") is None


PATHS = st.text("ab/*", max_size=4).map(lambda rest: f"/{rest}")
LINES = st.one_of(
    st.builds("{}: {}".format, st.sampled_from(["Allow", "Disallow"]), PATHS),
    st.sampled_from(["User-agent: ingest", "User-agent: *", "User-agent: other", "Disallow:", "# nothing"]),
)


@given(st.lists(LINES, max_size=12), PATHS.map(lambda path: path.replace("*", "x")))
def test_the_line_agrees_with_the_verdict(lines: list[str], path: str) -> None:
    """Whatever the file: a Disallow is named if and only if the URL is disallowed."""
    file, url = RobotsFile("rules", "\n".join(lines)), f"http://a.example{path}"
    rule = deciding_rule(file, AGENT, url)
    allowed = RobotsRules.from_file(file, AGENT).allows(url)
    assert (rule is not None and rule.startswith("Disallow")) == (not allowed)
    assert rule is None or rule in lines
