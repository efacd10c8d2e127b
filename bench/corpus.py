"""Photographs to fetch: seeded crops of the sample photographs, each one different, with noise as of a camera's sensor.

Without the noise an enlarged crop would compress, and so decode, unlike a photograph.
"""

import io
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parent.parent
PHOTOS = ROOT / "samples" / "photos"
CACHE = ROOT / ".data" / "bench"
"""What is made once: the corpora, and the environments of the tools that we are compared with."""


@dataclass(frozen=True)
class Corpus:
    """`count` JPEG files of `width` x `height`, of about `kilobytes` each."""

    name: str
    count: int
    width: int
    height: int
    kilobytes: tuple[float, float]
    noise: float

    def __str__(self) -> str:
        return f"{self.count:,} photographs of {self.width} x {self.height}"


SMALL = Corpus("small", 2_000, 256, 256, (15, 25), 2.0)
LARGE = Corpus("large", 400, 1200, 900, (150, 300), 3.0)


CORPORA = {corpus.name: corpus for corpus in (SMALL, LARGE)}


def build(corpus: Corpus, folder: Path = CACHE, *, seed: int = 7) -> list[Path]:
    """Give the corpus's files, making them when they are not there yet."""
    target = folder / f"{corpus.name}-{corpus.count}-{seed}"
    files = [target / f"{number:05}.jpg" for number in range(corpus.count)]
    if not files[-1].exists():
        target.mkdir(parents=True, exist_ok=True)
        photos = [Image.open(path).convert("RGB") for path in sorted(PHOTOS.glob("*.jpg"))]
        chance, noise = random.Random(seed), np.random.default_rng(seed)  # noqa: S311 - repeatable, not secret
        for file in files:
            file.write_bytes(_photograph(corpus, chance.choice(photos), chance, noise))
    return files


def _photograph(corpus: Corpus, photo: Image.Image, chance: random.Random, noise: np.random.Generator) -> bytes:
    size = (corpus.width, corpus.height)
    part = min(photo.width / size[0], photo.height / size[1]) * chance.uniform(0.55, 1.0)
    width, height = size[0] * part, size[1] * part
    x, y = chance.uniform(0, photo.width - width), chance.uniform(0, photo.height - height)
    image = photo.resize(size, Image.Resampling.LANCZOS, box=(x, y, x + width, y + height))
    if chance.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pixels = np.asarray(image, np.float32) * chance.uniform(0.85, 1.1) + chance.uniform(-8, 8)
    shape = (corpus.height, corpus.width)
    pixels += noise.standard_normal((*shape, 1), np.float32) * corpus.noise
    pixels += noise.standard_normal((*shape, 3), np.float32) * corpus.noise / 2
    return _jpeg(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), 1000 * chance.uniform(*corpus.kilobytes))


def _jpeg(image: Image.Image, most_bytes: float) -> bytes:
    """Give the JPEG of the highest quality, from 50 to 96, that is not larger."""
    lowest, highest, best = 50, 96, b""
    while lowest <= highest:
        quality = (lowest + highest) // 2
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= most_bytes or not best:
            best = buffer.getvalue()
        lowest, highest = (quality + 1, highest) if buffer.tell() <= most_bytes else (lowest, quality - 1)
    return best
