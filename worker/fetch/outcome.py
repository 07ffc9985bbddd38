"""From what the network did to a row of `worker.outcomes`.

The details are our own words. An exception's message may quote the URL with its userinfo, or a header with
its cookie, and would carry them into logs and dead letters.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl

import aiohttp
from aiohttp import http_exceptions
from aiohttp.http_exceptions import HttpProcessingError

from worker.errors import FetchFailed

#: What a request may raise because of the network or the server. All else is a fault of ours, and is not
#: caught. UnicodeError: a host name that the resolver cannot encode. TimeoutError is an OSError.
NETWORK_ERRORS = (aiohttp.ClientError, HttpProcessingError, OSError, UnicodeError)

#: This machine is out of something, which says nothing about the server.
_OUR_ERRNOS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_BROKEN_HTTP: tuple[tuple[type[BaseException], str], ...] = (
    (http_exceptions.LineTooLong, "a header is over the limit"),
    (http_exceptions.InvalidHeader, "a header is invalid"),
    (http_exceptions.BadStatusLine, "the status line is invalid"),
    (http_exceptions.TransferEncodingError, "the chunks are broken or cut short"),
    (http_exceptions.ContentLengthError, "the body is shorter than announced"),
)


def failure_from(exc: BaseException) -> FetchFailed:
    """The failure that `exc` amounts to; total, and `internal` for what is none of the network's doing."""
    match exc:
        case FetchFailed():
            return exc
        case aiohttp.ClientConnectorDNSError() | socket.gaierror() | UnicodeError():
            return FetchFailed("dns", _dns_detail(exc))
        case aiohttp.ClientConnectorCertificateError():
            return failure_from(exc.certificate_error)
        case aiohttp.ClientProxyConnectionError():
            return FetchFailed("proxy", "no connection to the proxy")
        case aiohttp.ClientHttpProxyError():
            return FetchFailed("proxy", f"the proxy answered {exc.status}", status=exc.status)
        case aiohttp.ClientConnectorError():
            return failure_from(exc.os_error)
        case TimeoutError():
            return FetchFailed("timeout", _timeout_detail(exc))
        case ssl.SSLError() | aiohttp.ServerFingerprintMismatch():
            return _tls_failure(exc)
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError() | HttpProcessingError():
            return FetchFailed("bad_response", _broken_http(exc))
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return FetchFailed("malformed", "not a URL that can be requested")
        case OSError() | aiohttp.ClientConnectionError():
            return _connection_failure(exc)
        case _:
            return FetchFailed("internal", type(exc).__name__)


def _dns_detail(exc: OSError | UnicodeError) -> str:
    if isinstance(exc, UnicodeError):
        return "the host name cannot be encoded"
    return exc.strerror or "no such host"


def _timeout_detail(exc: TimeoutError) -> str:
    match exc:
        case aiohttp.ConnectionTimeoutError():
            return "no connection in time"
        case aiohttp.SocketTimeoutError():
            return "the server sent nothing for too long"
        case OSError(errno=int(number)):
            return os.strerror(number)
        case _:
            return "the request took too long as a whole"


def _tls_failure(exc: ssl.SSLError | aiohttp.ServerFingerprintMismatch) -> FetchFailed:
    match exc:
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            # No verdict on a certificate, and worth another attempt, which `tls` is not.
            return FetchFailed("connect", "the server hung up during the TLS handshake")
        case ssl.SSLCertVerificationError():
            return FetchFailed("tls", exc.verify_message or "the certificate was refused")
        case ssl.SSLError(reason=str(reason)):
            return FetchFailed("tls", reason.replace("_", " ").lower())
        case _:
            return FetchFailed("tls", "the handshake failed")


def _broken_http(exc: BaseException) -> str:
    """What is wrong with the response: aiohttp keeps the parser's verdict somewhere along the causes."""
    cause: BaseException | None = exc
    while cause is not None:
        for kind, words in _BROKEN_HTTP:
            if isinstance(cause, kind):
                return words
        cause = cause.__cause__
    return (
        "the body ends early" if isinstance(exc, aiohttp.ClientPayloadError) else "not a valid HTTP response"
    )


def _connection_failure(exc: OSError | aiohttp.ClientConnectionError) -> FetchFailed:
    match exc:
        # aiohttp puts the half-read message there, and a text when nothing had come.
        case aiohttp.ServerDisconnectedError(message=str()):
            return FetchFailed("connect", "the server hung up before it answered")
        case aiohttp.ServerDisconnectedError():
            return FetchFailed("bad_response", "the headers end early")
        case OSError(errno=int(number)):
            reason = "internal" if number in _OUR_ERRNOS else "connect"
            return FetchFailed(reason, os.strerror(number))
        case _:
            # Happy eyeballs joins the errors of several addresses into one that has no number.
            return FetchFailed("connect", "no connection, or it broke")
