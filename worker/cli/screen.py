"""What commands write: results to stdout, talk to stderr; colours and tables only for a terminal's eyes."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, is_dataclass
from typing import Any

import click
import orjson
from rich.console import Console

#: Wide enough that nothing is cut where no terminal sets a width.
_PIPE_WIDTH = 2000


def on_terminal() -> bool:
    """Whether a person reads stdout."""
    return sys.stdout.isatty()


def results() -> Console:
    """Stdout. Rich obeys NO_COLOR and leaves colours out of pipes."""
    width = None if on_terminal() else _PIPE_WIDTH
    return Console(highlight=False, markup=False, width=width)


def talk() -> Console:
    """Stderr."""
    width = None if sys.stderr.isatty() else _PIPE_WIDTH
    return Console(stderr=True, highlight=False, markup=False, width=width)


def print_json(value: object) -> None:
    """One JSON document, indented."""
    click.echo(_dumped(value, orjson.OPT_INDENT_2))


def print_json_line(value: object) -> None:
    """One JSON document on a line of its own, seen at once."""
    click.echo(_dumped(value, 0))


def printable(text: str) -> str:
    """The text on one line, without what could steer a terminal: titles come from strangers."""
    return "".join(char if char.isprintable() else " " for char in text)


def _dumped(value: Any, option: int) -> bytes:
    try:
        return orjson.dumps(value, option=option)
    except orjson.JSONEncodeError:
        # A page's JSON-LD can hold half a surrogate pair, which no UTF-8 can: "?" stands for it.
        plain = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
        indent = 2 if option else None
        return json.dumps(plain, ensure_ascii=False, indent=indent).encode("utf-8", "replace")
