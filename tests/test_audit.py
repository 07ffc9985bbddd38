"""`make audit`: a finding fails it; silence of the services is told, and does not."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.audit import report_of, verdict
from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

CLEAN: dict[str, Any] = {"name": "a", "version": "1", "vulns": []}
FLAWED: dict[str, Any] = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
SKIPPED: dict[str, Any] = {"name": "c", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("packages", "says", "code"),
    [
        ([CLEAN, CLEAN], "no vulnerability is known of 2 packages; 0 could", 0),
        ([CLEAN, SKIPPED], "no vulnerability is known of 1 packages; 1 could", 0),
        ([SKIPPED, FLAWED, CLEAN], "vulnerabilities are known:\nb 2: CVE-1, mended in ['3']", 1),
        ([SKIPPED, SKIPPED], "not audited", 0),
    ],
)
def test_verdict(packages: list[dict[str, Any]], says: str, code: int) -> None:
    """What was looked up, what was found, and what could not be."""
    line, exit_code = verdict({"dependencies": packages})
    assert (line[: len(says)], exit_code) == (says, code)


FLAW = {
    "id": "TEST-1",
    "details": "made up",
    "affected": [
        {
            "package": {"name": "protego", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}],
        }
    ],
}


@contextmanager
def osv() -> Iterator[str]:
    """The address of a service with OSV's interface that knows one flaw of one package."""

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            flaws = [FLAW] if query["package"]["name"] == "protego" else []
            answer = json.dumps({"vulns": flaws} if flaws else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
        server.shutdown()
        thread.join()


def test_a_real_audit_finds_a_flaw() -> None:
    """pip-audit reads the lock, asks the service, and the finding fails the audit."""
    with osv() as url:
        report = report_of("osv", "--osv-url", url)
    assert report is not None
    line, code = verdict(report)
    assert code == 1
    assert "protego" in line
    assert "TEST-1" in line


def test_no_service_is_no_report() -> None:
    """Where nobody answers, nothing is claimed."""
    assert report_of("osv", "--osv-url", f"http://127.0.0.1:{free_port()}/", "--timeout", "1") is None
