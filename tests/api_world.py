"""What the API finds: a ledger and images as the workers would have left them, and a publisher that only notes."""

import hashlib
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from bson import Binary
from flask.testing import FlaskClient
from PIL import Image

from common.database import Database
from common.errors import Unavailable
from common.items import item_id
from common.ledger import Ledger
from common.message import Publication
from common.settings import Settings
from common.topology import Topology
from services.api.app import create_app

NOON = datetime(2024, 5, 31, 12, 0, tzinfo=UTC)


class NotingPublisher:
    """Notes what it is asked to publish; `ready` and `broken` are for the test to set."""

    def __init__(self) -> None:
        self.topology = Topology()
        self.publications: list[Publication] = []
        self.flushes = 0
        self.ready = True
        self.broken = False

    def publish(self, publications: Iterable[Publication]) -> None:
        if self.broken:
            raise Unavailable("RabbitMQ: gone at 10.1.2.3:5672")
        self.publications.extend(publications)

    def flush(self) -> None:
        self.flushes += 1


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
        Image.new("L", (3, 2), len(body) % 256).save(gray, "PNG")
        png = gray.getvalue()
        facts = {"width": 3, "height": 2, "length_bytes": len(body), "gray_bytes": len(png), "format": kind}
        self.database["images"].insert_one(
            {"_id": md5, **facts, "mode": "RGB", "orientation": 1, "inserted_at": at, "histogram": Binary(bytes(1024))}
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


@pytest.fixture
def world(database: Database) -> World:
    """Give a way to fill the database."""
    return World(database)


@pytest.fixture
def publisher() -> NotingPublisher:
    """Give a publisher that only notes."""
    return NotingPublisher()


@pytest.fixture
def client(database: Database, publisher: NotingPublisher) -> FlaskClient:
    """Give a client of the application, with a low limit of URLs."""
    settings = Settings.from_environ({"API_MAX_URLS": "50", "API_MAX_BODY_BYTES": "65536"})
    return create_app(settings, database, publisher).test_client()
