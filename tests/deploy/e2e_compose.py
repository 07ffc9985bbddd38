"""docker-compose.yml for real, by `make e2e-compose`: built, started, fed, struck, judged and taken down.

What no registry of packages has (Vector, Loki, Grafana) does not run: in Vector's place stands
`tests.deploy.compose.shipper`, and Prometheus and Alertmanager are Debian's.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from contextlib import suppress

from tests.chaos.fleet import ROOT
from tests.deploy.compose.origin import url
from tests.deploy.compose.project import NoDocker, StepFailed, until
from tests.deploy.compose.run import Run, fetched
from tests.deploy.runbook import ALERTS, filled, typed
from tests.site.catalogue import CATALOGUE

_URLS = 200
_OPS_PORT = 9464
_PROFILES = ("example", "demo", "monitoring", "tools", "e2e")
_SETTINGS = {
    # The project's network is a private one, and all that is there is ours.
    "INGEST_ALLOW_NETWORKS": "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
    "INGEST_HOST_SPACING_S": "2",
    "INGEST_LEASE_S": "10",
    "INGEST_STATS_INTERVAL_S": "2",
}
_DEBIANS = """\
FROM {base}
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
    prometheus prometheus-alertmanager >/dev/null \
 && mkdir /prometheus && chown 65534:65534 /prometheus /var/lib/prometheus/alertmanager \
 && ln -s /var/lib/prometheus/alertmanager /alertmanager
USER 65534:65534
"""


def build(run: Run, *, monitoring: bool) -> None:
    """Images of ours, and stand-ins for others."""
    with run.step("build the image") as found:
        run.project.compose("build", "worker")
        image = run.project.looked_at(os.environ.get("WORKER_IMAGE", "ingest:0.1.0"))
        found(f"{image['Size'] / 1e6:.0f} MB, user {image['Config']['User']}")
    if monitoring:
        with run.step("build mtail, and Prometheus and Alertmanager from Debian"):
            run.project.compose("build", "mtail")
            network = os.environ.get("BUILD_NETWORK", "default")
            dockerfile = _DEBIANS.format(base=run.environ["BASE_IMAGE"])
            tag = run.environ["PROMETHEUS_IMAGE"]
            run.project.docker("build", "--network", network, "-t", tag, "-", stdin=dockerfile)


def start(run: Run, *, monitoring: bool) -> None:
    """Redis, two workers, the site; and what watches them."""
    project = run.project
    with run.step("start redis, two workers and the site"):
        project.compose("up", "-d", "--no-build", "--scale", "worker=2", "redis", "worker", "e2e-origin")
    with run.step("`ingest check --live` calls both healthy"):
        until("two healthy workers", lambda: run.healthy("worker", 2) or None)
    if monitoring:
        with run.step("start the shipper, mtail, prometheus and alertmanager"):
            services = ("log-files", "vector", "mtail", "prometheus", "alertmanager")
            project.compose("--profile", "monitoring", "up", "-d", "--no-build", *services)
    with run.step("a worker may write nowhere but /tmp, as no root, without capabilities") as found:
        worker = project.containers("worker")[0]
        status = project.docker(
            *("exec", worker, "sh", "-c"),
            "touch /tmp/x; touch /opt/ingest/x 2>/dev/null && exit 9; id -u; grep CapEff /proc/self/status",
        )
        if status.split() != ["10001", "CapEff:", "0000000000000000"]:
            raise StepFailed(status)
        found(" ".join(status.split()))


def strike(run: Run, sent: list[str]) -> None:
    """Feed, and do to the fleet what happens to fleets."""
    project = run.project
    with run.step(f"feed {_URLS - 80} URLs by `run --rm producer add -`") as found:
        found(
            project.compose("run", "--rm", "-T", "producer", "add", "-", stdin="\n".join(sent[80:])).strip()
        )
    with run.step("SIGKILL for a container with URLs in work") as found:
        until("something in work", run.in_work)
        victim = max(project.containers("worker"))
        project.docker("kill", "--signal", "KILL", victim)
        found(f"{victim[:12]}, after {run.ended()} ends")
    with run.step("scale to 4"):
        run.scale(4)
    with run.step("SIGKILL for all processes within a container; it starts again by itself") as found:
        victim = project.containers("worker")[0]
        with suppress(StepFailed):  # the shell that strikes is struck, too
            project.docker("exec", victim, "sh", "-c", "kill -9 -1")
        until("a restart", lambda: project.looked_at(victim)["RestartCount"] or None)
        until("4 healthy workers", lambda: run.healthy("worker", 4) or None)
        found(f"{victim[:12]}, {run.ended()} ended so far")
    with run.step("feed 80 more by `exec`") as found:
        alive = project.containers("worker")[0]
        found(project.docker("exec", alive, "ingest", "add", *sent[:80]).strip())
    with run.step("restart redis") as found:
        project.compose("restart", "redis")
        until("a healthy redis", lambda: run.healthy("redis", 1) or None)
        found(f"{run.ended()} ended so far")
    with run.step("scale to 1") as found:
        run.scale(1)
        found(f"{run.ended()} ended so far")


def judge(run: Run, sent: list[str]) -> None:
    """All ended, once each; and the consumer gets each once."""
    with run.step(f"wait for {_URLS} ends") as found:
        until(f"{_URLS} ends", lambda: run.ended() >= _URLS or None, patience_s=300)
        found(str(until("a worker tells the ledger", run.figures)["ledger"]))
    with run.step("verdict of the chaos tests") as found:
        found(run.project.compose("run", "--rm", "-T", "e2e-verdict", stdin="\n".join(sent)).strip())
    with run.step("`run --rm operator status`") as found:
        found(run.project.compose("run", "--rm", "-T", "operator", "status").splitlines()[0])
    with run.step("`run --rm operator fetch URL` goes where workers go") as found:
        told = run.project.compose("run", "--rm", "-T", "operator", "fetch", sent[1])
        found(told.splitlines()[-1].strip())
    with run.step("`kill -s HUP worker` has the mounted hosts' file read") as found:
        run.project.compose("kill", "-s", "HUP", "worker")
        until("`host_rules_loaded`", lambda: "host_rules_loaded" in logs_of_workers(run) or None)
        if not run.healthy("worker", 1):
            raise StepFailed("the worker is not well after SIGHUP")
    with run.step("the example consumer prints each title once") as found:
        run.project.compose("up", "-d", "--no-build", "consumer")
        lines = until("200 lines", lambda: printed(run, "consumer", _URLS), patience_s=60)
        if sorted(line.split()[-1] for line in lines) != sorted(sent):
            raise StepFailed("it printed others")
        found(f"{len(lines)} lines")


def logs_of_workers(run: Run) -> str:
    """What the containers of workers that run have said so far."""
    return "".join(run.project.docker("logs", each) for each in run.project.containers("worker"))


def printed(run: Run, service: str, count: int) -> list[str] | None:
    """What the one container of a service has printed, once that is so much."""
    lines = run.project.docker("logs", run.project.containers(service)[0]).splitlines()
    return lines if len(lines) >= count else None


def watched(run: Run) -> None:
    """What mtail counts is what the workers' lines say, and Prometheus has it, with its rules."""
    api = f"http://{run.prometheus}/api/v1"
    with run.step("prometheus has mtail's count of articles") as found:
        shipper = run.project.containers("vector")[0]
        logs = run.project.docker("exec", shipper, "sh", "-c", "cat /var/log/ingest/*.log")
        logged = sum('"event":"article_published"' in line for line in logs.splitlines())

        def counted() -> int:
            result = fetched(f"{api}/query?query=sum(ingest_log_articles_total)")["data"]["result"]
            return int(result[0]["value"][1]) if result else 0

        until(f"a count of {logged}", lambda: counted() == logged or None)
        found(f"{logged} of {len(logs.splitlines())} lines")
    with run.step("rules are loaded, and an alertmanager is known") as found:
        groups = fetched(f"{api}/rules")["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        if unwell := [rule["name"] for rule in rules if rule["health"] != "ok"]:
            raise StepFailed(f"these are not well: {unwell}")
        (manager,) = fetched(f"{api}/alertmanagers")["data"]["activeAlertmanagers"]
        alerts = [rule for rule in rules if rule["type"] == "alerting"]
        firing = [rule["name"] for rule in alerts if rule["state"] == "firing"]
        found(
            f"{len(rules)} rules, {len(alerts)} of them alerts; firing: {firing or 'none'}; {manager['url']}"
        )


def night(run: Run, page: str) -> None:
    """What the runbook has people type at each alert, with the words of docker-compose."""
    runbook = (ROOT / "deploy/RUNBOOK.md").read_text()
    for alert in ALERTS:
        with run.step(f"type what the runbook says of {alert}") as found:
            lines = [filled(line, url=page, group="nobody") for line in typed(runbook, alert)]
            script = "\n".join(lines)
            lenient = 'grep() { command grep "$@" || test $? = 1; }\n'
            told = run.project.shell(f". deploy/night/compose.sh\n{lenient}{script}")
            found(f"{len(lines)} commands, {len(told.splitlines())} lines")


def demo(run: Run) -> None:
    """The sample site: each of its URLs ends as its catalogue says, by number."""
    with run.step("profile demo") as found:
        services = ("demo-redis", "demo-site", "demo-worker", "demo-feed", "demo-consumer")
        run.project.compose("--profile", "demo", "up", "-d", "--no-build", *services)
        kinds = [row.outcome.partition(":")[0] for row in CATALOGUE]
        # Doubles do not get that far: `ingest add` sees that they are.
        wanted = {"articles": kinds.count("article"), "dead": kinds.count("dead"), "refused": 0}
        site = run.project.containers("demo-site")[0]

        def ledger() -> dict[str, int] | None:
            figures = (run.board(site) or {}).get("ledger", {})
            return figures if wanted.items() <= figures.items() else None

        found(str(until(f"a ledger with {wanted}", ledger)))
        lines = until("a line for each article", lambda: printed(run, "demo-consumer", wanted["articles"]))
        found(f"{len(lines)} titles")


def main() -> int:
    """All of it; 1 if anything was not as it should be, 2 where Docker is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.deploy.e2e_compose", description=__doc__)
    parser.add_argument("--no-monitoring", action="store_true", help="leave the profile monitoring out")
    parser.add_argument("--no-demo", action="store_true", help="leave the profile demo out")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run = Run()
    except NoDocker as missing:
        print(f"e2e-compose cannot run here: {missing}", file=sys.stderr)
        return 2
    sent, code = [url(number) for number in range(_URLS)], 1
    try:
        build(run, monitoring=not options.no_monitoring)
        start(run, monitoring=not options.no_monitoring)
        strike(run, sent)
        judge(run, sent)
        if not options.no_monitoring:
            watched(run)
        night(run, sent[1])
        if not options.no_demo:
            demo(run)
        code = 0
    except StepFailed as failure:
        print(f"✗ {failure}")
        print(run.project.compose("logs", "--no-color", "--tail", "15"))
    except KeyboardInterrupt:
        print("interrupted")
        code = 130
    finally:
        with run.step("take all down"):
            words = [word for profile in _PROFILES for word in ("--profile", profile)]
            run.project.compose(*words, "down", "--volumes", "--remove-orphans", "--timeout", "40")
    print("green" if code == 0 else "red")
    return code


if __name__ == "__main__":
    sys.exit(main())
