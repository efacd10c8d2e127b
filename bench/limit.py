"""`python -m bench.limit URLS MONGO_URL`: the same steps in two bare processes, with no broker between them.

How fast this machine could be: the cheapest client, decoder and gray that are exact, and nothing else. No ledger, no
limits, no errors, no journal: what a pipeline spends above this is the price of what it promises.
"""

import hashlib
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pycurl
import simplejpeg
from numpy.typing import NDArray
from pymongo import MongoClient

from services.grayscaler import png

PROCESSES = 2
CONNECTIONS = 16
BATCH = 50


def fetch(urls: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Give each URL's body, in the order in which they come."""
    todo = iter(urls)
    multi = pycurl.CurlMulti()
    idle = [pycurl.Curl() for _ in range(CONNECTIONS)]
    under_way: dict[Any, tuple[str, io.BytesIO]] = {}
    while True:
        for url in islice(todo, len(idle)):
            transfer, body = idle.pop(), io.BytesIO()
            under_way[transfer] = url, body
            transfer.setopt(pycurl.URL, url)
            transfer.setopt(pycurl.FAILONERROR, True)
            transfer.setopt(pycurl.WRITEDATA, body)
            multi.add_handle(transfer)
        if not under_way:
            return
        multi.perform()
        _, ended, failed = multi.info_read()
        if failed:
            raise RuntimeError(failed[0][2])
        for transfer in ended:
            multi.remove_handle(transfer)
            url, body = under_way.pop(transfer)
            idle.append(transfer)
            yield url, body.getvalue()
        if not ended:
            multi.select(1.0)


def gray(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give `(R + G + B) // 3` of pixels of shape (height, width, 3)."""
    sums = np.add(pixels[..., 0], pixels[..., 1], dtype=np.uint16)
    sums += pixels[..., 2]
    sums //= 3
    return sums.astype(np.uint8)


def documents(urls: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Give what is stored of each image."""
    for url, body in fetch(urls):
        pixels = gray(simplejpeg.decode_jpeg(body, "RGB"))
        height, width = pixels.shape
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        yield {"url": url, "md5": md5, "width": width, "height": height, "gray": png.encode(pixels)}


def work(urls: Sequence[str], mongo_url: str) -> None:
    """Do the whole job for these."""
    images = MongoClient[dict[str, Any]](mongo_url).get_default_database()["images"]
    made = documents(urls)
    while batch := list(islice(made, BATCH)):
        images.insert_many(batch, ordered=False)


def main(file: str, mongo_url: str) -> None:
    """Share the URLs of the file out to the processes and wait for them."""
    urls = Path(file).read_text("utf-8").split()
    context = get_context("fork")
    shares = [urls[first::PROCESSES] for first in range(PROCESSES)]
    processes = [context.Process(target=work, args=(share, mongo_url)) for share in shares]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    sys.exit(any(process.exitcode for process in processes))


if __name__ == "__main__":
    main(*sys.argv[1:])
