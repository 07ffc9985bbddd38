"""Signatures by which a receiver knows who sent a webhook (Standard Webhooks 1.0.0, signature scheme)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def signed_headers(event_id: str, body: bytes, *, at_s: int, keys: Sequence[bytes]) -> dict[str, str]:
    """The headers of an attempt at `at_s` (Unix time), with a signature for each key; without one, none.

    The id holds a full stop, which the standard warns of where others choose ids: ours are made by us.
    """
    headers = {"webhook-id": event_id, "webhook-timestamp": str(at_s)}
    if keys:
        content = b".".join((event_id.encode(), str(at_s).encode(), body))
        digests = [hmac.new(key, content, hashlib.sha256).digest() for key in keys]
        headers["webhook-signature"] = " ".join(f"v1,{base64.b64encode(each).decode()}" for each in digests)
    return headers
