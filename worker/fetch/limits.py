"""What one request may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Timeouts in seconds; sizes in bytes."""

    connect_timeout_s: float = 10.0  # DNS, TCP, proxy and TLS together
    headers_timeout_s: float = 15.0  # from the request as sent to the last byte of the response's head
    stall_timeout_s: float = 15.0  # the longest silence, before the headers and within the body
    total_timeout_s: float = 30.0  # quick retries included
    least_bytes_per_s: float = 100.0  # of a body, on the wire, measured over each `stall_timeout_s`; 0: any
    body_limit_bytes: int = 10_000_000  # decompressed
    wire_limit_bytes: int | None = None  # the body as sent; None: the same as body_limit_bytes
    header_limit_bytes: int = 32_768  # all response headers together, and each
    header_limit_lines: int = 200

    @property
    def on_wire_bytes(self) -> int:
        """The limit for the body as sent."""
        return self.body_limit_bytes if self.wire_limit_bytes is None else self.wire_limit_bytes
