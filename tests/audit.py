"""`make audit`: are vulnerabilities known of the locked packages? Asks PyPI, and OSV if PyPI does not answer.

Without a service, as on a machine that reaches only a mirror, nothing was audited: that is said, and is no
failure, since it says nothing about the packages. A finding is one.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements-dev.lock"  # what runs is a part of it
SERVICES = ("pypi", "osv")


def verdict(report: dict[str, Any]) -> tuple[str, int]:
    """One line, and the exit code, for pip-audit's JSON."""
    asked = [package for package in report["dependencies"] if "skip_reason" not in package]
    found = [
        f"{package['name']} {package['version']}: {flaw['id']}, mended in {flaw['fix_versions']}"
        for package in asked
        for flaw in package["vulns"]
    ]
    if found:
        return "\n".join(("vulnerabilities are known:", *found)), 1
    if not asked:
        return "not audited: no vulnerability service knows these packages", 0
    skipped = len(report["dependencies"]) - len(asked)
    return f"no vulnerability is known of {len(asked)} packages; {skipped} could not be looked up", 0


def report_of(service: str, *options: str) -> dict[str, Any] | None:
    """What pip-audit found out from the service; None where that cannot be reached."""
    flags = ("--vulnerability-service", service, *options, "--disable-pip", "--no-deps", "-r", str(LOCK))
    form = ("--format", "json", "--progress-spinner", "off")
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", *flags, *form], capture_output=True, check=False
    )
    try:
        report: dict[str, Any] = orjson.loads(done.stdout)
    except orjson.JSONDecodeError:
        # Anything else that keeps it from a report must not pass for silence of the network.
        if b"requests.exceptions" not in done.stderr and b"ServiceError" not in done.stderr:
            raise RuntimeError(done.stderr.decode()) from None
        return None
    return report


def main() -> int:
    """Ask one service after the other until one knows the packages; options go to pip-audit."""
    line, code = "not audited: no vulnerability service can be reached from here", 0
    for service in SERVICES:
        report = report_of(service, *sys.argv[1:])
        if report is not None:
            line, code = verdict(report)
            if not line.startswith("not audited"):
                break
    print(line)
    return code


if __name__ == "__main__":
    sys.exit(main())
