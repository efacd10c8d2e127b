"""The job as three Celery tasks in a chain, the bytes in the messages: download, MD5 and gray, insert.

Bodies are pickled, which is cheaper than the base64 of Celery's JSON; results are not kept.
"""

import os
from functools import lru_cache
from typing import Any

import requests
from celery import Celery
from pymongo import MongoClient
from pymongo.collection import Collection

from bench.peers.steps import document

app = Celery("bench", broker=os.environ["AMQP_URL"])
app.conf.update(
    accept_content=["pickle"], task_serializer="pickle", task_ignore_result=True, worker_hijack_root_logger=False
)


@lru_cache
def images() -> Collection[dict[str, Any]]:
    """Give the collection, over a client that each worker process makes once."""
    return MongoClient[dict[str, Any]](os.environ["MONGO_URL"]).get_default_database()["images"]


@lru_cache
def session() -> requests.Session:
    """Give the session that each worker process makes once."""
    return requests.Session()


@app.task  # type: ignore[untyped-decorator]
def download(url: str) -> tuple[str, bytes]:
    """Fetch one image."""
    response = session().get(url, timeout=10)
    response.raise_for_status()
    return url, response.content


@app.task  # type: ignore[untyped-decorator]
def process(downloaded: tuple[str, bytes]) -> dict[str, Any]:
    """Make what is stored of it."""
    return document(*downloaded)


@app.task  # type: ignore[untyped-decorator]
def insert(made: dict[str, Any]) -> None:
    """Store it."""
    images().insert_one(made)
