"""Real photographs in the database, as the workers would have left them: gray versions, histograms, hashes."""

import hashlib
import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
from bson import Binary
from PIL import Image

from common.facts import ImageGrayscaled
from common.items import Item, item_id
from services.aggregator.documents import Pair, image_document, image_of
from services.grayscaler import png
from services.grayscaler.grayscale import grayscale
from services.grayscaler.perceptual import perceptual_hash
from tests.api_world import NOON, World

PHOTOS = sorted((Path(__file__).parents[1] / "samples" / "photos").glob("*.jpg"))
FORMATS = ("JPEG", "PNG", "WEBP")


def variants(count: int) -> list[tuple[str, bytes]]:
    """Give files of the photographs by name: each the same scenes, smaller and smaller, in several formats."""
    files = []
    for number in range(count):
        photo, kind = PHOTOS[number % len(PHOTOS)], FORMATS[number // len(PHOTOS) % len(FORMATS)]
        with Image.open(photo) as image:
            scaled = image.convert("RGB").reduce(1 + number % 4)
        scaled.paste((number % 256, 0, 0), (0, 0, 16, 16))
        body = io.BytesIO()
        scaled.save(body, kind)
        files.append((f"{photo.stem}-{number}.{kind.lower()}", body.getvalue()))
    return files


def store(world: World, files: Sequence[tuple[str, bytes]], *, start: datetime = NOON) -> tuple[UUID, list[str]]:
    """Write a task that found these files, one a second; gives it and their MD5s."""
    urls = [f"https://photos.example/{name}" for name, _ in files]
    task_id = world.task(urls, name="photographs", created_at=start)
    md5s = []
    for line, (url, (_, body)) in enumerate(zip(urls, files, strict=True), 1):
        md5 = hashlib.md5(body).hexdigest()
        item, at = Item(task_id, item_id(task_id, line), url), start + timedelta(seconds=line)
        gray = grayscale(body, formats=FORMATS, max_pixels=10**7)
        encoded = png.encode(np.asarray(gray.image))
        fact = ImageGrayscaled(
            item,
            uuid4(),
            encoded,
            *gray.image.size,
            gray.format,
            gray.mode,
            gray.orientation,
            tuple(gray.image.histogram()),
            perceptual_hash(gray.image),
        )
        world.database["images"].insert_one(image_document(Pair(fact, md5, len(body)), at))
        world.database["grays"].insert_one({"_id": md5, "png": Binary(encoded)})
        world.database["originals"].insert_one({"_id": md5, "body": Binary(body)})
        world.end(task_id, line, "success", at=at, **image_of(item, md5))
        md5s.append(md5)
    return task_id, md5s
