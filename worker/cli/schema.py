"""`ingest schema`: the contract, as JSON Schemas and as an AsyncAPI document."""

from __future__ import annotations

import click

from worker.cli.examples import examples
from worker.cli.screen import print_json
from worker.events.asyncapi import asyncapi
from worker.events.schema import article_schema, dead_schema, item_schema, unchanged_schema

_SCHEMAS = {
    "article": article_schema,
    "unchanged": unchanged_schema,
    "dead": dead_schema,
    "item": item_schema,
    "asyncapi": asyncapi,
}


@click.command(
    epilog=examples(
        "ingest schema > article.schema.json",
        "ingest schema dead | jq .required",
        "ingest schema asyncapi > ingest.asyncapi.json",
    )
)
@click.argument("part", type=click.Choice(tuple(_SCHEMAS)), default="article")
def schema(part: str) -> None:
    """Print the contract: JSON Schemas, AsyncAPI.

    PART is the data of an event: article (the default), unchanged (a visit that found the article as it was)
    or dead; or item, what a producer may push to the queue. These are JSON Schemas of draft 2020-12. The data
    is the field `data` of a stream entry; its other fields are the attributes of a CloudEvent 1.0. With
    asyncapi, it is all of it: an AsyncAPI 3.0 document of the queue and the streams.
    """
    print_json(_SCHEMAS[part]())
