"""What the fleet keeps of a robots.txt: the value that its store and its fetching share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RobotsCopy:
    """An origin's robots.txt. Times in seconds, from now."""

    file: bytes | None  # the last one that could be had, as it was given to be kept
    fresh_s: float  # until it is to be asked for again; 0 is now
    down_s: float | None = None  # how long it could not be had; None where the last answer was one
