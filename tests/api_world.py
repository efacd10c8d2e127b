"""What the API finds: a ledger and images as the workers would have left them, and a publisher that only notes."""

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from bson import Binary, Int64
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.serving import make_server

from common.database import Database, Document
from common.dead_letters import DeadLetter, DeadLetters
from common.errors import Unavailable
from common.facts import HISTOGRAM
from common.items import item_id
from common.ledger import Ledger
from common.message import Message, Publication
from common.multi_index import band_keys
from common.queue_states import QueueState
from common.settings import Settings
from common.topology import Topology
from services.api.app import create_app
from services.api.values import EXAMPLE_HOST, EXAMPLE_LETTER, EXAMPLE_MD5, EXAMPLE_TASK

KEY = "the-key-of-the-tests"
LIMITS = {"API_MAX_URLS": "50", "API_MAX_BODY_BYTES": "65536"}
NOON = datetime(2024, 5, 31, 12, 0, tzinfo=UTC)


class NotingPublisher:
    """Notes what it is asked to publish; `ready` and `broken` are for the test to set."""

    def __init__(self) -> None:
        self.topology = Topology()
        self.publications: list[Publication] = []
        self.flushes = 0
        self.ready = True
        self.broken = False
        self.states = dict.fromkeys(self.topology.queues, QueueState(0, 1))

    def publish(self, publications: Iterable[Publication]) -> None:
        if self.broken:
            raise Unavailable("RabbitMQ: gone at 10.1.2.3:5672")
        self.publications.extend(publications)

    def flush(self) -> None:
        self.flushes += 1

    def queue_states(self) -> dict[str, QueueState]:
        return self.states


class World:
    """Writes what the workers write."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.ledger = Ledger(database)

    def task(self, urls: Sequence[str], *, name: str | None = None, created_at: datetime = NOON) -> UUID:
        """Write a task with all its items."""
        task_id = self.ledger.open_task(kind="url", name=name, refresh=False)
        for start in range(0, len(urls), 1_000):
            self.ledger.add_items(task_id, start + 1, urls[start : start + 1_000])
        self.ledger.close_task(task_id, len(urls))
        self.database["tasks"].update_one({"_id": task_id}, {"$set": {"created_at": created_at}})
        return task_id

    def end(self, task_id: UUID, line: int, outcome: str, *, at: datetime = NOON, **more: Any) -> None:
        """Write how an item ended."""
        end = {"outcome": outcome, "finished_at": at, **more}
        if outcome == "error":
            end = {"reason": "http_4xx", "detail": "404 Not Found", "stage": "fetcher", "attempts": 1, **end}
        else:
            end = {"md5": hashlib.md5(f"{task_id}{line}".encode()).hexdigest(), "known_by": "md5", **end}
        self.database["items"].update_one({"_id": item_id(task_id, line)}, {"$set": end})

    def image(self, body: bytes, *, kind: str = "PNG", at: datetime = NOON, keep: bool = True) -> str:
        """Store an image; gives its MD5."""
        md5 = hashlib.md5(body).hexdigest()
        gray = io.BytesIO()
        pixels = Image.new("L", (3, 2), len(body) % 256)
        pixels.save(gray, "PNG")
        histogram = Binary(HISTOGRAM.pack(*pixels.histogram()))
        png = gray.getvalue()
        facts = {"width": 3, "height": 2, "length_bytes": len(body), "gray_bytes": len(png), "format": kind}
        self.database["images"].insert_one(
            {"_id": md5, **facts, "mode": "RGB", "orientation": 1, "inserted_at": at, "histogram": histogram}
        )
        self.database["grays"].insert_one({"_id": md5, "png": Binary(png)})
        if keep:
            self.database["originals"].insert_one({"_id": md5, "body": Binary(body)})
        return md5

    def settled_task(self, counts: dict[str, int], *, start: datetime = NOON, name: str | None = None) -> UUID:
        """Write a task whose items ended so, one a second, one kind after the other; `pending` stay without end."""
        task_id = self.task(
            [f"https://images.example/{line}" for line in range(sum(counts.values()))], name=name, created_at=start
        )
        line = 0
        for outcome, count in counts.items():
            for _ in range(count):
                line += 1
                if outcome != "pending":
                    self.end(task_id, line, outcome, at=start + timedelta(seconds=line))
        return task_id

    def page_task(
        self,
        kind: str,
        page: str,
        *,
        images: dict[str, int] | None = None,
        read: Document | None = None,
        failed: Document | None = None,
    ) -> UUID:
        """Write a task of a page that was read, or that failed; of its images, those that ended so."""
        task_id = self.ledger.open_task(kind=kind, name=None, refresh=False, page=page, is_current=True)
        outcomes = [outcome for outcome, count in (images or {}).items() for _ in range(count)]
        self.ledger.add_items(task_id, 0, [page, *(f"{page}{line}.png" for line in range(1, len(outcomes) + 1))])
        self.ledger.close_task(task_id, 1 + len(outcomes))
        self.database["tasks"].update_one({"_id": task_id}, {"$set": {"is_published": True}})
        end = {"outcome": "error", "stage": "scraper", "attempts": 1, **failed} if failed else {"outcome": "success"}
        self.database["items"].update_one({"_id": item_id(task_id, 0)}, {"$set": {**end, "finished_at": NOON}})
        for line, outcome in enumerate(outcomes, start=1):
            if outcome != "pending":
                self.end(task_id, line, outcome)
        if failed is None:
            texts = dict.fromkeys(("title", "language", "description", "canonical_url", "text", "main_text"), "")
            facts = {"images": [], "images_left_out": 0, "is_cut": False, "scraped_at": NOON}
            stored = {"_id": item_id(task_id, 0), "task_id": task_id, "url": page, **texts, **facts, **(read or {})}
            self.database["pages"].insert_one(stored)
        return task_id

    def pause(self, host: str, *, until: datetime, **more: Any) -> None:
        """Write that a host is left alone: as it asked for, unless told otherwise."""
        why = {"reason": "rate_limited", "status": 429, "asked": True, "times": 0, **more}
        self.database["hosts"].insert_one({"_id": host, "until": until, **why})

    def make_examples_true(self) -> None:
        """Write what the examples of the API's document name: a task with errors, and an image that it gave."""
        md5 = self.image(b"example")
        for name in ("images", "grays", "originals"):
            self.database[name].insert_one({**self.database[name].find_one({"_id": md5}), "_id": EXAMPLE_MD5})
        hashed = {"perceptual_hash": Int64(5), "perceptual_bands": band_keys(5)}
        self.database["images"].update_one({"_id": EXAMPLE_MD5}, {"$set": hashed})
        made, example = self.settled_task({"success": 3, "duplicate": 2, "error": 4, "pending": 1}), UUID(EXAMPLE_TASK)
        self.end(made, 1, "success", md5=EXAMPLE_MD5)
        self.database["tasks"].insert_one({**self.database["tasks"].find_one({"_id": made}), "_id": example})
        for item in self.database["items"].find({"task_id": made}):
            ids = {"_id": item_id(example, item["line"]), "task_id": example}
            self.database["items"].insert_one({**item, **ids})
        dead = Topology().dead("fetcher", Message("url.submitted", "", "", {"task_id": EXAMPLE_TASK}, b"{}"), "why")
        DeadLetters(self.database).keep([replace(DeadLetter.of(dead.message, NOON), letter_id=UUID(EXAMPLE_LETTER))])
        self.pause(EXAMPLE_HOST, until=datetime.now(UTC) + timedelta(minutes=5))


def with_key(app: Flask) -> FlaskClient:
    """Give a client that sends the key with each request."""
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {KEY}"
    return client


def open_cursors(database: Database) -> int:
    """Count the cursors that the server has open over the collections of a database."""
    own = {"ns": {"$regex": f"^{database.name}[.]"}, "type": "idleCursor"}
    return len(list(database.client.admin.aggregate([{"$currentOp": {"idleCursors": True}}, {"$match": own}])))


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an application on this machine for the length of a `with` block; gives its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.05,), name="api")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def world(database: Database) -> World:
    """Give a way to fill the database."""
    return World(database)


@pytest.fixture
def publisher() -> NotingPublisher:
    """Give a publisher that only notes."""
    return NotingPublisher()


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the API wait for a database that stands still; that it waits for seconds only has tests of its own."""
    monkeypatch.setattr("services.api.blueprints.health.PATIENCE_SECONDS", 30.0)
    monkeypatch.setattr("services.api.protection.READ_SECONDS", 60.0)


@pytest.fixture
def client(database: Database, publisher: NotingPublisher, patience: None) -> FlaskClient:
    """Give a client of the application, with a key and low limits."""
    settings = Settings.from_environ({"API_KEYS": KEY, **LIMITS})
    return with_key(create_app(settings, database, publisher))
