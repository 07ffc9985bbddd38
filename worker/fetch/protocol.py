"""Connections against what a server may do out of turn: bounds that aiohttp lacks, and a guard for uvloop."""

from __future__ import annotations

import socket

from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import BadHttpMessage

#: RFC 9110, 15.2 sets no number of interim responses. One or two are usual (100, 103).
_MAX_INTERIMS = 16
_INTERIM = b"HTTP/1.1 1"


class LoopsSocket(socket.socket):
    """A socket whose descriptor is the event loop's to close, and not the garbage collector's.

    A server that resets a connection at once makes uvloop close the descriptor before it has taken the socket
    object over. The object, collected later, closed it again: by then it was another connection's, whose
    request failed as `internal` or never came to its end. Until the loop has it, whoever connects closes it.
    """

    __slots__ = ()

    def __del__(self) -> None:
        self.detach()

    @classmethod
    def of(cls, opened: socket.socket) -> LoopsSocket:
        """`opened` made such a socket; the object itself is of no use any more."""
        return cls(opened.family, opened.type, opened.proto, fileno=opened.detach())


class StrictConnection(ResponseHandler):
    """A connection that breaks off at a flood of interim responses, and is not reused after stray bytes."""

    _interims = 0

    def data_received(self, data: bytes) -> None:
        """Hand on what was received, unless it is too much.

        aiohttp queues interim responses before who waits for the response gets to run: 5 s of them took
        140 MB.
        """
        if self._payload is not None and not self._payload.is_eof():
            self._interims = 0  # a body is under way
        elif _INTERIM in data:
            self._interims += data.count(_INTERIM)
            if self._interims > _MAX_INTERIMS:
                self.set_exception(BadHttpMessage("interim responses without end"))
                if self.transport is not None:
                    self.transport.close()
                return
        super().data_received(data)

    def is_connected(self) -> bool:
        """Whether the connection may carry a request: not if bytes came that nobody had asked for.

        They would be taken for the response to the next request, and each one's after it for that of the one
        before (RFC 9112, 9.2).
        """
        return super().is_connected() and not self._buffer and not self._tail
