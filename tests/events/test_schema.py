"""The shipped JSON Schemas against the events that are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from jsonschema import Draft202012Validator, ValidationError

from tests.events.samples import ARTICLE, BARE_ARTICLE, NOT_MODIFIED, NOW, PAGE, PLAIN_TASK, TASK
from worker.events.envelope import article_event, dead_event, malformed_event, unchanged_event
from worker.events.schema import SCHEMAS, schema_files, write_schemas
from worker.outcomes import OUTCOMES

if TYPE_CHECKING:
    from pathlib import Path

    from worker.model import Article, NotModified, Page, Task

#: Keys of the first version of the schema that its first events did not have.
_CAME_LATER = {"cluster_id"}


def shipped(name: str) -> Draft202012Validator:
    schema = orjson.loads((SCHEMAS / name).read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def article_data(task: Task, article: Article) -> dict[str, Any]:
    event = article_event(task, article, PAGE, partition=0, namespace="n", fetched_at=NOW, now=NOW)
    return dict(orjson.loads(event["data"]))


@pytest.mark.parametrize("name", sorted(schema_files()))
def test_the_checked_in_schema_is_the_generated_one(name: str) -> None:
    """A change of the contract shows in the repository: write the schemas anew, and see the difference."""
    assert (SCHEMAS / name).read_bytes() == schema_files()[name]


def test_no_other_schema_is_shipped() -> None:
    """What nothing generates is out of date."""
    assert {file.name for file in SCHEMAS.iterdir()} == schema_files().keys()


def test_writing_the_schemas(tmp_path: Path) -> None:
    """All files are written, as they are generated, over what was there."""
    (tmp_path / "article-1.0.json").write_text("old")
    write_schemas(tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == schema_files()


@pytest.mark.parametrize(("task", "article"), [(TASK, ARTICLE), (PLAIN_TASK, BARE_ARTICLE)])
def test_article_events_fit_their_schema(task: Task, article: Article) -> None:
    """Full and bare articles are what the schema says."""
    shipped("article-1.0.json").validate(article_data(task, article))


@pytest.mark.parametrize(("task", "answer"), [(TASK, PAGE), (TASK, NOT_MODIFIED), (PLAIN_TASK, NOT_MODIFIED)])
def test_unchanged_events_fit_their_schema(task: Task, answer: Page | NotModified) -> None:
    """A visit that found nothing new is what the schema says, by a 304 and by a page that was compared."""
    event = unchanged_event(task, answer, partition=0, namespace="n", fetched_at=NOW, now=NOW)
    shipped("unchanged-1.0.json").validate(orjson.loads(event["data"]))


@pytest.mark.parametrize("reason", [*OUTCOMES, "http_503"])
def test_dead_letters_fit_their_schema(reason: str) -> None:
    """Every reason makes a dead letter as the schema says."""
    event = dead_event(TASK, reason, None, partition=0, namespace="n", now=NOW)
    shipped("dead-letter-1.0.json").validate(orjson.loads(event["data"]))


def test_malformed_items_fit_the_schema_of_dead_letters() -> None:
    """A letter without a task is one as well."""
    event = malformed_event(item="x", why="y", number=1, namespace="n", now=NOW)
    shipped("dead-letter-1.0.json").validate(orjson.loads(event["data"]))


@pytest.mark.parametrize(
    "change",
    [
        {"title": None},
        {"change": "deleted"},
        {"revision": 0},
        {"authors": [{"url": "x"}]},
        {"published_at": 5},
    ],
)
def test_the_schema_refuses_what_is_no_article_event(change: dict[str, Any]) -> None:
    """The schema can fail: a wrong type, a word outside a set or a missing name is found."""
    with pytest.raises(ValidationError):
        shipped("article-1.0.json").validate(article_data(TASK, ARTICLE) | change)


def test_every_key_is_required() -> None:
    """Consumers may rely on each key being there, but for those that came later than their version."""
    full, schema = article_data(TASK, ARTICLE), shipped("article-1.0.json")
    assert schema.is_valid({key: full[key] for key in full if key not in _CAME_LATER})
    for name in full.keys() - _CAME_LATER:
        assert not schema.is_valid({key: full[key] for key in full if key != name})
