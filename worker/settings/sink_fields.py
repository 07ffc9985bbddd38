"""The settings of sinks that are secret: what a process was started with, others can read."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from worker.settings.feed_fields import FeedSettings

_PREFIX = "whsec_"
_KEY_BYTES = range(24, 65)


def webhook_keys(value: object) -> object:
    """The keys that texts such as `whsec_…` hold: base64 of 24 to 64 bytes (Standard Webhooks 1.0.0).

    Raises ValueError, which does not quote them.
    """
    if not isinstance(value, str):
        return value
    keys = []
    for text in filter(None, re.split(r"[,\s]+", value)):
        try:
            key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            key = b""
        if not text.startswith(_PREFIX) or len(key) not in _KEY_BYTES:
            raise ValueError(
                "it should be whsec_ and 24 to 64 random bytes in base64, "
                'as from: echo "whsec_$(openssl rand -base64 32)"'
            )
        keys.append(key)
    return tuple(keys)


class SinkSettings(FeedSettings):
    """What `ingest sink` is told apart from its arguments."""

    webhook_secret: Annotated[tuple[bytes, ...], NoDecode, BeforeValidator(webhook_keys)] = Field(
        default=(),
        repr=False,
        description="`whsec_…`, by which `ingest sink webhook` signs; during a change the new and the old "
        "one, with a space between them",
    )
    postgres_dsn: str | None = Field(
        default=None,
        repr=False,
        description="`postgresql://user:password@host:5432/database` for `ingest sink postgres`",
    )
