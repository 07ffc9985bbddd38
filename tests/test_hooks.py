"""What hooks may answer, and what becomes of the article that one returns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.events.samples import ARTICLE, PAGE, TASK
from worker.errors import FetchFailed
from worker.extract.text import measured
from worker.hooks import AfterExtract, Hooks, Veto
from worker.model import Article, Author, Paragraph


def answering(answer: Any) -> AfterExtract:
    """A hook that always says the same."""

    async def hook(*_: object) -> Any:
        return answer

    return hook


async def changed(*answers: Any) -> Article:
    """The sample article, after hooks with these answers."""
    return await Hooks(after_extract=[answering(each) for each in answers]).changed(ARTICLE, PAGE, TASK)


@pytest.mark.parametrize("answer", [None, ARTICLE])
async def test_no_answer_is_no_change(answer: Any) -> None:
    """None, and the article itself, leave all as it was."""
    assert await changed(answer) is ARTICLE


async def test_hooks_follow_one_another() -> None:
    """Each is given what the last one made; a later None keeps it."""
    first = replace(ARTICLE, section="Ferries")
    assert (await changed(first, None)).section == "Ferries"
    assert (await changed(first, replace(first, authors=(Author("Cy Example"),)))).authors[
        0
    ].name == "Cy Example"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (replace(ARTICLE, article_id="0" * 32), "changed article_id or url"),
        (replace(ARTICLE, url="https://example.com/other"), "changed article_id or url"),
        (replace(ARTICLE, title=None), "no valid article"),  # type: ignore[arg-type]
        (replace(ARTICLE, keywords=({"a": 1},)), "no valid article"),  # type: ignore[arg-type]
        (replace(ARTICLE, section=object()), "no valid article"),  # type: ignore[arg-type]
        ("an article", "TypeError: after_extract returned str"),
        (True, "TypeError: after_extract returned bool"),
    ],
)
async def test_an_answer_that_cannot_be_published_is_refused(answer: Any, says: str) -> None:
    """Whatever would break the contract of an event fails here, where the URL is tried again."""
    with pytest.raises(FetchFailed, match=says) as failure:
        await changed(answer)
    assert failure.value.reason == "hook_failed"


async def test_a_veto_stops_the_hooks() -> None:
    """Later hooks are not asked, and the dead letter says why."""
    with pytest.raises(FetchFailed, match="no ferries") as refusal:
        await changed(Veto("no ferries"), "never asked")
    assert (refusal.value.reason, refusal.value.detail) == ("vetoed", "no ferries")


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
async def test_measures_follow_the_text(text: str) -> None:
    """A changed text is compared and counted as if it had been read so."""
    article = await changed(replace(ARTICLE, text=text))
    measures = measured(text)
    if text != ARTICLE.text:
        assert (article.word_count, article.content_hash) == (measures.word_count, measures.content_hash)


async def test_the_text_follows_the_paragraphs() -> None:
    """A hook that drops a paragraph need not join the rest again."""
    article = await changed(replace(ARTICLE, paragraphs=(Paragraph("paragraph", "It sails no more."),)))
    assert (article.text, article.word_count) == ("It sails no more.", 4)


async def test_half_a_surrogate_pair_is_no_fault_of_the_hook() -> None:
    """A page may hold one in its title, and the event writes a "?" for it."""
    article = await changed(replace(ARTICLE, title="A \ud83d", section="Ferries"))
    assert article.section == "Ferries"
