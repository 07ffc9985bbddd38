"""What the pipeline wants of its tools: those that make requests, know robots.txt and read pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from worker.errors import FetchFailed
    from worker.model import NotModified, Page, Redirect, Signal, Validators

_Answer = TypeVar("_Answer")


class Fetches(Protocol):
    """Makes one request."""

    async def request(
        self, url: str, *, validators: Validators | None = None, cookies: Sequence[tuple[str, str]] = ()
    ) -> Page | Redirect | NotModified:
        """NotModified answers `validators` only; `cookies` are a Task's. Raises FetchFailed."""


class Rules(Protocol):
    """A robots.txt, for our product token."""

    @property
    def crawl_delay_s(self) -> float | None:
        """Seconds between requests that the host asks for."""

    def allows(self, url: str) -> bool:
        """Whether the URL may be fetched."""


class Learning(Protocol):
    """What came of asking for a robots.txt: rules, or a failure, or neither while another worker asks."""

    @property
    def rules(self) -> Rules | None:
        """The rules in force."""

    @property
    def failure(self) -> FetchFailed | None:
        """Why nothing may be fetched: robots.txt, or the host itself, cannot be had."""

    @property
    def signal(self) -> Signal:
        """How the request went; `none` where this worker made none."""


class Gate(Protocol):
    """Knows robots.txt files."""

    async def rules(self, url: str) -> Rules | None:
        """None: not known yet. Raises FetchFailed ("robots_unreachable")."""

    async def learn(self, url: str) -> Learning:
        """Spends a request, unless another worker does."""


class Extracts(Protocol):
    """Reads pages, somewhere that a page cannot harm us."""

    async def call(self, function: Callable[..., _Answer], page: bytes, **arguments: object) -> _Answer:
        """What `function(page=page, **arguments)` returns. Raises NotAnArticle or ExtractionFailed."""
