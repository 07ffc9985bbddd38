"""Events as the official SDK of CloudEvents reads them, which judges their attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudevents.core.bindings.http import HTTPMessage, from_http
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from worker.events.envelope import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudevents.core.base import BaseCloudEvent


def from_entry(fields: Mapping[bytes, bytes]) -> BaseCloudEvent:
    """The event in a stream entry: binary mode. Raises CloudEventValidationError.

    There is no official binding for Redis; Kafka's has the same form, fields of UTF-8 beside a value.
    """
    headers = {f"ce_{name.decode()}": value for name, value in fields.items()}
    del headers["ce_data"]
    headers["content-type"] = headers.pop("ce_datacontenttype")
    return from_binary(KafkaMessage(headers, None, fields[b"data"]), JSONFormat(), CloudEvent)


def from_json(text: bytes | str) -> BaseCloudEvent:
    """The event in a document of CloudEvents' JSON format. Raises CloudEventValidationError."""
    return JSONFormat().read(CloudEvent, text)


def from_request(headers: Mapping[str, str], body: bytes) -> BaseCloudEvent:
    """The event in an HTTP request, whose headers tell its form. Raises CloudEventValidationError."""
    return from_http(HTTPMessage(dict(headers), body), JSONFormat(), CloudEvent)


def whole(event: BaseCloudEvent) -> dict[str, Any]:
    """What the SDK understood; the instant is written as we write instants."""
    attributes = dict(event.get_attributes())
    return {**attributes, "time": rfc3339(attributes["time"]), "data": event.get_data()}
