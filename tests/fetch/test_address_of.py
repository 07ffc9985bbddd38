"""Where hosts are: what the address limit goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from worker.errors import FetchFailed

if TYPE_CHECKING:
    from tests.fetch.conftest import RawServer
    from worker.fetch.session import Fetcher


async def test_the_address_connected_to_is_known(server: RawServer, fetcher: Fetcher) -> None:
    """After a request the host's address is known, whatever the path, and for no other host."""
    url = server.url()
    assert fetcher.address_of(url) is None
    await fetcher.request(url)
    assert fetcher.address_of(f"{url}/another?page=1") == "127.0.0.1"
    assert fetcher.address_of("http://other.example/") is None


async def test_an_answer_without_a_page_tells_it_too(server: RawServer, fetcher: Fetcher) -> None:
    """A host that answers with an error is known all the same; a kept-alive connection changes nothing."""
    server.replies = [b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"]
    for _ in range(2):
        with pytest.raises(FetchFailed, match="http_500"):
            await fetcher.request(server.url())
        assert fetcher.address_of(server.url()) == "127.0.0.1"
