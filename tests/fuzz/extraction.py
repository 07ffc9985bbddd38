"""Fuzz `extract_article`: `python -m tests.fuzz.extraction --seconds 60 --seed 1`.

With atheris installed it is guided by coverage; without, by chance alone. Either way an input that raises
anything but NotAnArticle, breaks a promise of Article or takes too long is written to a file and named.
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
import tempfile
import time
from dataclasses import asdict
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from worker.errors import NotAnArticle
from worker.extract import extract_article
from worker.extract.judgement import WHYS

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Of processor time, for inputs of a few hundred KB at most, which take milliseconds.
MOST_S = 5.0
URL = "https://news.example.com/2024/03/11/a-story.html"
CONTENT_TYPES = (None, "text/html", "text/plain", "text/html; charset=utf-16", "text/html; charset=shift_jis")
SAMPLES = Path(__file__).parents[1] / "site" / "pages"
PIECES = (
    *(b"<%b>" % tag for tag in b"p /p div /div table td li br h1 article svg math template form".split()),
    *(b"<%b>" % tag for tag in b"script /script style textarea title plaintext noscript select".split()),
    *(b"<!--", b"-->", b"<![CDATA[", b"]]>", b'<a href="http://[', b'<p class="', b"<", b">", b'"', b"'"),
    *(
        b"&#x",
        b"&#xD800;",
        b"&#0;",
        b"&amp",
        b"&#99999999;",
        b"\\ud800",
        b"\\u0000",
        b"{",
        b"}",
        b"[",
        b"1e999",
    ),
    *(
        b"\0",
        b"\xff",
        b"\xc3",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\x1b$B",
        b"\r",
        b"\x0b",
        b"\x85",
    ),
    *("\u2028".encode(), "\u202e".encode(), "\u200b".encode(), "\u00ad".encode(), "İ".encode(), b"9" * 400),
    b'<meta property="article:published_time" content="',
    b'<meta charset="utf-7">',
    b'<script type="application/ld+json">{"@type":"NewsArticle","headline":',
    b'<time datetime="0000-13-99T25:61:61+99:99">',
)


class Broken(AssertionError):
    """A promise of Article that this input breaks."""


def check(data: bytes) -> None:
    """Extract the page that `data` is, its first byte choosing the content type; raise on any finding."""
    content_type = CONTENT_TYPES[data[0] % len(CONTENT_TYPES)] if data else None
    started = time.process_time()
    try:
        article = extract_article(data[1:], url=URL, content_type=content_type)
    except NotAnArticle as refused:
        if refused.why not in WHYS:
            raise Broken(f"undocumented why {refused.why!r}") from refused
        return
    finally:
        took_s = time.process_time() - started
    if took_s > MOST_S:
        raise Broken(f"{took_s:.1f} s of processor time")
    orjson.dumps(asdict(article))
    if not article.title.strip() or not article.paragraphs:
        raise Broken("no title or no paragraphs")
    for paragraph in article.paragraphs:
        if not paragraph.text.strip():
            raise Broken("an empty paragraph")
        if paragraph.kind != "preformatted" and len(paragraph.text.splitlines()) != 1:
            raise Broken(f"a paragraph of several lines: {paragraph.text[:80]!r}")
    if not 0 <= article.extraction.confidence <= 1:
        raise Broken(f"confidence {article.extraction.confidence}")


def mutated(samples: Sequence[bytes], rng: random.Random) -> bytes:
    """An input: random bytes now and then, else a sample after some edits of bytes and of markup."""
    if rng.random() < 0.05:
        return rng.randbytes(rng.randrange(4_000))
    page = bytearray(rng.choice(samples))
    for _ in range(rng.choice((1, 2, 4, 8, 32))):
        start, size = rng.randrange(len(page) + 1), rng.choice((1, 4, 40, 400))
        match rng.randrange(6):
            case 0:
                del page[start : start + size]
            case 1:
                page[start:start] = rng.choice(PIECES) * rng.choice((1, 1, 1, 3, 200))
            case 2:
                page[start : start + 1] = rng.randbytes(1)
            case 3:
                other = rng.randrange(len(page) + 1)
                page[start:start] = page[other : other + size * 4]
            case 4:
                donor = rng.choice(samples)
                other = rng.randrange(len(donor))
                page[start : start + size] = donor[other : other + size * 4]
            case _:
                # An attribute or a JSON value emptied or doubled is nearer to what sites send than noise.
                quote = page.find(b'"', start)
                page[quote + 1 : quote + 1 + rng.randrange(20)] = rng.choice(PIECES)
    return rng.randbytes(1) + bytes(page)


def keep(data: bytes) -> Path:
    """Where the input that fails was written."""
    path = Path(tempfile.gettempdir()) / f"extraction-{sha256(data).hexdigest()[:12]}.bin"
    path.write_bytes(data)
    return path


def by_chance(samples: Sequence[bytes], *, seconds: float, seed: int) -> int:
    """Try mutations for `seconds`; 1 at the first finding."""
    rng, ends, count = random.Random(seed), time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        data = mutated(samples, rng)
        try:
            check(data)
        except Exception as error:  # whatever it is, it is the finding
            print(f"seed {seed}, execution {count}: {error!r}\ninput: {keep(data)}")
            return 1
        count += 1
    print(f"seed {seed}: {count} executions in {seconds:g} s, no finding")
    return 0


def by_coverage(samples: Sequence[bytes], *, seconds: float, seed: int) -> int:
    """Hand over to libFuzzer, which leaves the process when it is done; it writes what fails itself."""
    atheris: Any = importlib.import_module("atheris")
    temporary = Path(tempfile.gettempdir())
    # In one place, as libFuzzer leaves without unwinding: what it learned also serves the next run.
    corpus = temporary / "extraction-corpus"
    corpus.mkdir(exist_ok=True)
    for number, sample in enumerate(samples):
        (corpus / f"sample-{number}").write_bytes(b"\0" + sample)
    options = [f"-max_total_time={seconds:.0f}", f"-seed={seed}", f"-artifact_prefix={temporary}/extraction-"]
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], *options, "-max_len=65536", "-timeout=30", str(corpus)], check)
    print(f"seed {seed}: guided by coverage")
    atheris.Fuzz()
    return 0


def main() -> int:
    """Run the fuzzer, or with `--input` one file that it kept."""
    arguments = argparse.ArgumentParser(description="Fuzz extract_article.")
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    arguments.add_argument("--input", type=Path, help="run this file alone")
    chosen = arguments.parse_args()
    if chosen.input:
        check(chosen.input.read_bytes())
        return 0
    samples = [path.read_bytes() for path in sorted(SAMPLES.glob("*/*.*"))]
    run = by_coverage if find_spec("atheris") else by_chance
    return run(samples, seconds=chosen.seconds, seed=chosen.seed)


if __name__ == "__main__":
    sys.exit(main())
