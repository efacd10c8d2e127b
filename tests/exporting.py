"""Stored images to be exported, and the command that exports them."""

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from bson import Binary
from PIL import Image

from common.database import Database, Document
from common.items import item_id
from services.grayscaler import png

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")
EXTENSIONS = ("jpg", "png", "gif", "webp", "bmp")
HOSTS = ("images.example", "Pictures.Example:8080", "b\u00fccher.example")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
COMMAND = "from services.fetcher.export.command import export; export(prog_name='fetcher export')"


@dataclass
class Stored:
    """What was put into the database: images by MD5 with their bytes, and the lines of the task."""

    database: Database
    task_id: UUID
    images: dict[str, Document] = field(default_factory=dict)
    originals: dict[str, bytes] = field(default_factory=dict)
    grays: dict[str, bytes] = field(default_factory=dict)
    lines: list[Document] = field(default_factory=list)

    @property
    def of_task(self) -> set[str]:
        """Give the MD5s that the task's lines have."""
        return {line["md5"] for line in self.lines if "md5" in line}


def some_pixels(count: int) -> Iterator[Image.Image]:
    """Give images of several sizes, no two alike."""
    random = np.random.default_rng(7)
    for number in range(count):
        width, height = 16 + number % 61, 16 + number % 47
        pixels = np.empty((height, width, 3), np.uint8)
        pixels[...] = np.arange(width, dtype=np.uint8)[None, :, None] * 3
        pixels[:8, :8] = random.integers(0, 256, (8, 8, 3))
        yield Image.fromarray(pixels)


def put_images(stored: Stored, count: int) -> None:
    """Store images of every format and host; each a second after the one before."""
    for number, image in enumerate(some_pixels(count)):
        body = io.BytesIO()
        image_format = FORMATS[number % len(FORMATS)]
        # What costs least: a GIF without a palette to be found, and WEBP's quickest method.
        (image.convert("L") if image_format == "GIF" else image).save(body, image_format, method=0)
        with Image.open(body) as decoded:
            colours = np.asarray(decoded.convert("RGB")).astype(np.int64)
        gray = png.encode((colours.sum(axis=2) // 3).astype(np.uint8))
        host = HOSTS[number % len(HOSTS)]
        url = f"https://{host}/{number}"
        put_image(stored, body.getvalue(), gray, size=image.size, image_format=image_format, url=url, number=number)
    stored.database["images"].insert_many(stored.images.values())
    stored.database["originals"].insert_many(
        {"_id": md5, "body": Binary(body)} for md5, body in stored.originals.items()
    )
    stored.database["grays"].insert_many({"_id": md5, "png": Binary(body)} for md5, body in stored.grays.items())


def put_image(
    stored: Stored, body: bytes, gray: bytes, *, size: tuple[int, int], image_format: str, url: str, number: int
) -> str:
    """Remember an image as it is to be stored."""
    md5 = hashlib.md5(body).hexdigest()
    assert md5 not in stored.images
    stored.originals[md5], stored.grays[md5] = body, gray
    stored.images[md5] = {
        "_id": md5,
        "message_id": uuid4(),
        "item_id": uuid4(),
        "task_id": stored.task_id,
        "url": url,
        "width": size[0],
        "height": size[1],
        "length_bytes": len(body),
        "gray_bytes": len(gray),
        "format": image_format,
        "mode": "RGB",
        "orientation": 1,
        "inserted_at": BEGIN + timedelta(seconds=number),
        "histogram": Binary(bytes(1024)),
    }
    return md5


def put_task(stored: Stored, ends: list[Document]) -> None:
    """Store the task, with a line for each of these ends."""
    for line, end in enumerate(ends, 1):
        finished = {} if end["outcome"] == "pending" else {"finished_at": BEGIN + timedelta(milliseconds=line)}
        identity = {"_id": item_id(stored.task_id, line), "task_id": stored.task_id, "line": line, "round": 0}
        stored.lines.append({**identity, **finished, **end})
    task = {"kind": "url", "name": None, "refresh": False, "created_at": BEGIN, "total": len(ends)}
    stored.database["tasks"].insert_one({"_id": stored.task_id, **task})
    stored.database["items"].insert_many(stored.lines)


class Command:
    """Runs `fetcher export` in a process of its own."""

    def __init__(self, mongo_url: str) -> None:
        self._environment = {"MONGO_URL": mongo_url, "KEEP_ORIGINALS": "true"}

    def start(self, *arguments: object, code: str = COMMAND) -> subprocess.Popen[str]:
        """Start it."""
        return subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            env=self._environment,
            cwd=Path(__file__).parents[1],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: object, code: str = COMMAND) -> tuple[int, str, str]:
        """Run it to its end; gives its exit code, standard output and standard error."""
        with self.start(*arguments, code=code) as process:
            try:
                output, errors = process.communicate(timeout=60)
            finally:
                process.kill()
        return process.returncode, output, errors

    def succeed(self, *arguments: object) -> dict[str, Any]:
        """Run it; gives its result as JSON."""
        code, output, errors = self.run(*arguments, "--json")
        assert (code, errors) == (0, ""), errors
        return dict(json.loads(output))

    def refused(self, *arguments: object, code: str = COMMAND) -> tuple[int, str]:
        """Run it; gives its exit code and the one line that it says."""
        exit_code, output, errors = self.run(*arguments, code=code)
        assert output == ""
        assert errors.count("\n") == 1, errors
        return exit_code, errors


def tree(folder: Path) -> dict[str, bytes]:
    """Give all files below a folder by their relative names."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def manifest(folder: Path) -> list[dict[str, Any]]:
    """Read an export's manifest."""
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().split("\n")[:-1]]
