"""What sort of article a page says it is."""

from __future__ import annotations

import pytest

from tests.extract.pages import JSONLD, URL, news_page
from worker.extract import extract_article


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({}, "news"),
        ({"genre": "Interview"}, "interview"),
        ({"genre": ["Politics", "Интервью"]}, "interview"),
        ({"articleSection": "Entrevistas"}, "interview"),
        ({"articleSection": "Entrevistas", "@type": "OpinionNewsArticle"}, "opinion"),
        ({"headline": "Interview: the harbour master speaks", "keywords": "interview"}, "news"),
        ({"@type": "LiveBlogPosting"}, "live"),
        ({"@type": "ReviewNewsArticle"}, "review"),
    ],
)
def test_the_type_is_what_the_page_files_itself_under(facts: dict[str, object], kind: str) -> None:
    """By its JSON-LD type, or a genre or section of interviews only; a headline's word is no type."""
    page = news_page(jsonld=JSONLD | facts)
    assert extract_article(page.encode(), url=URL).type == kind
