"""`python -m bench.peers.script URLS MONGO_URL`: the whole job in a plain script with eight threads."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests
from pymongo import MongoClient

from bench.peers.steps import document

THREADS = 8


def main(urls: str, mongo_url: str) -> None:
    """Fetch every URL of the file and store what comes of it."""
    images = MongoClient[dict[str, Any]](mongo_url).get_default_database()["images"]
    local = threading.local()

    def store(url: str) -> None:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        response = local.session.get(url, timeout=10)
        response.raise_for_status()
        images.insert_one(document(url, response.content))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(store, Path(urls).read_text("utf-8").split()))


if __name__ == "__main__":
    main(*sys.argv[1:])
