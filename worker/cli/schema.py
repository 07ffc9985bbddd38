"""`ingest schema`: the events' JSON Schemas."""

from __future__ import annotations

import click

from worker.cli.examples import examples
from worker.cli.screen import print_json
from worker.events.schema import article_schema, dead_schema, unchanged_schema

_SCHEMAS = {"article": article_schema, "unchanged": unchanged_schema, "dead": dead_schema}


@click.command(epilog=examples("ingest schema > article.schema.json", "ingest schema dead | jq .required"))
@click.argument("event", type=click.Choice(tuple(_SCHEMAS)), default="article")
def schema(event: str) -> None:
    """Print the JSON Schema of an event's data.

    EVENT is article (the default), unchanged (a visit that found the article as it was) or dead; the schema
    is of draft 2020-12 and describes the field `data` of a stream entry. The other fields are the attributes
    of a CloudEvent 1.0.
    """
    print_json(_SCHEMAS[event]())
