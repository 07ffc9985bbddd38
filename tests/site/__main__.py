"""Serve the sample site by hand: `python -m tests.site [--port N]`; Ctrl-C ends it.

`--list` prints the URLs of a site at that port instead, one a line.
"""

from __future__ import annotations

import argparse
import asyncio
import signal

from tests.site.catalogue import CATALOGUE
from tests.site.server import SampleSite


async def serve(port: int) -> None:
    """Serve until SIGINT or SIGTERM, with the URLs and what should become of them on stdout."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with SampleSite(port) as site:
        for row in CATALOGUE:
            print(f"{row.outcome:<24} {row.url(site.port)}")
        print(f"\n{len(CATALOGUE)} URLs; Ctrl-C ends the sample site", flush=True)
        await stop.wait()
        print(f"\n{len(site.log)} requests served")


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.site", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 (the default) picks a free one")
    parser.add_argument("--list", action="store_true", help="print its URLs and end")
    options = parser.parse_args()
    if options.list:
        print(*(row.url(options.port) for row in CATALOGUE), sep="\n")
    else:
        asyncio.run(serve(options.port))


if __name__ == "__main__":
    main()
