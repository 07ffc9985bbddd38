"""Which line of a robots.txt decides, for people who wonder why."""

from __future__ import annotations

import re
from bisect import bisect_left

from worker.fetch.robots import RobotsFile, RobotsRules

#: Every spelling that Protego takes for a rule.
_RULE = re.compile(r"\s*(allow|d[ias]{2,4}l+[ao]w)\s*[:\s]\s*(\S.*)", re.IGNORECASE)


def deciding_rule(file: RobotsFile, user_agent: str, url: str) -> str | None:
    """The line of `file` by which `url` is allowed or not, as written; None where no line is about it.

    RFC 9309, 2.2.2: the longest match decides, and Allow at a draw. Protego gives verdicts without reasons,
    so it is asked again and again: with the n longest rules alone, all as Disallow, for the least n that
    stops the URL. Other rules lose their path and keep their line, which ends a list of user agents.
    """
    if file.verdict != "rules":
        return None
    lines = file.text.splitlines()
    allowed = RobotsRules.from_file(file, user_agent).allows(url)
    rules = {
        number: rule for number, line in enumerate(lines) if (rule := _RULE.match(line.partition("#")[0]))
    }
    longest_first = sorted(
        (number for number, rule in rules.items() if (rule[1].lower() == "allow") == allowed),
        key=lambda number: len(rules[number][2].rstrip()),
        reverse=True,
    )

    def stopped_by(count: int) -> bool:
        tried = set(longest_first[:count])
        probe = "\n".join(
            f"Disallow: {rules[number][2] if number in tried else ''}" if number in rules else line
            for number, line in enumerate(lines)
        )
        return not RobotsRules.from_file(RobotsFile("rules", probe), user_agent).allows(url)

    found = bisect_left(range(1, len(longest_first) + 1), True, key=stopped_by)
    return lines[longest_first[found]].strip() if found < len(longest_first) else None
