"""`python -m bench.peers.celery_chain URLS`: hand a chain per URL to the worker, and wait until all are stored."""

import sys
import time
from pathlib import Path

from celery import chain

from bench.peers.celery_tasks import download, images, insert, process

LOOK_SECONDS = 0.05


def main(file: str) -> None:
    """Return when the last one is stored."""
    urls = Path(file).read_text("utf-8").split()
    for url in urls:
        chain(download.s(url), process.s(), insert.s()).apply_async()
    while images().estimated_document_count() < len(urls):
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
