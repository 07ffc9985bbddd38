"""Celery with requests: prefork, a task for each URL, acknowledged late, records to a stream."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import requests
from celery import Celery
from celery.signals import worker_process_init
from redis import Redis

from tests.bench.peers.article import article
from tests.bench.peers.gate import PROCESSES, REDIS_URL, RESULTS, wait_for_go

app = Celery("pages", broker=REDIS_URL.replace("unix://", "redis+socket://"))
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,  # as the others, which lose no URL with a worker that dies
    task_reject_on_worker_lost=True,
    worker_proc_alive_timeout=150,  # a child waits at the gate, and must not be taken for stuck
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
)


@dataclass(frozen=True, slots=True)
class Process:
    """What a child keeps from task to task."""

    session: requests.Session
    store: Redis


_of_child: list[Process] = []


@worker_process_init.connect
def start_up(**_: object) -> None:
    """Connections of each child's own: those from before the fork are its parent's."""
    _of_child.append(Process(requests.Session(), Redis.from_url(REDIS_URL)))
    wait_for_go()


@app.task(name="read_page")
def read_page(url: str) -> None:
    """Fetch, extract, store."""
    (process,) = _of_child
    response = process.session.get(url, timeout=30)
    response.raise_for_status()
    process.store.xadd(RESULTS, {"data": article(response.content, url)})


def main() -> None:
    """Fill or work."""
    if sys.argv[1] == "fill":
        for url in sys.stdin.read().split():
            read_page.delay(url)
    else:
        quiet = ("--loglevel=ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat")
        app.worker_main(["worker", "--pool=prefork", f"--concurrency={PROCESSES}", *quiet])


if __name__ == "__main__":
    main()
