"""Damaged files of every format, through the real decoder: each ends with a gray version or a reason, and soon."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice

import pytest

from common.errors import Permanent
from services.grayscaler.decoder import Cause, Decoder
from services.grayscaler.exchange import GrayVersion, Limits
from tests.decoding import decoders, ends, peak_mebibytes
from tests.sizes import whole
from tests.unit.mutations import mutations, small_images

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
SEED = 20240531
EACH = (100_000 if whole() else 18_000) // len(FORMATS)
TOGETHER = 20
MEBIBYTE = 1024 * 1024
MOST_SECONDS = 5.0
MOST_MEBIBYTES = 400
MEMORY_BYTES = 350 * MEBIBYTE
"""Beside the 40 MiB of a process that has decoded nothing. A WebP of 40 empty megapixels takes more, and is refused."""


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    decoder = Decoder(Limits(FORMATS, 40_000_000, 15 * MEBIBYTE), seconds=MOST_SECONDS, memory_bytes=MEMORY_BYTES)
    yield decoder
    decoder.close()


def decoders_peak_mebibytes() -> int:
    """Give the most memory that the decoder process has had."""
    [process] = decoders()
    return peak_mebibytes(process.pid)


@pytest.mark.parametrize("kind", FORMATS)
def test_no_mutation_costs_more_than_its_own_item(decoder: Decoder, kind: str) -> None:
    files = mutations(kind, EACH, SEED)
    before = ends()
    given: Counter[str] = Counter()
    longest, peak = 0.0, 0
    while bodies := list(islice(files, TOGETHER)):
        began = time.monotonic()
        answers = decoder.decode(bodies)
        longest = max(longest, time.monotonic() - began)
        peak = max(peak, decoders_peak_mebibytes())
        for body, answer in zip(bodies, answers, strict=True):
            assert isinstance(answer, GrayVersion | Permanent), f"seed {SEED}: {answer}: {body.hex()}"
            given[answer.reason.value if isinstance(answer, Permanent) else "gray"] += 1
    sys.stdout.write(f"{kind}: seed {SEED}, {EACH} files, {longest:.2f} s for {TOGETHER}, {peak} MiB: {dict(given)}\n")
    assert ends() - before <= Counter({Cause.MEMORY: EACH}), "a decoder crashed or did not end"
    assert longest < MOST_SECONDS
    assert peak < MOST_MEBIBYTES
    assert given["gray"] > EACH // 100
    assert given.total() - given["gray"] > EACH // 10


@pytest.mark.parametrize("kind", FORMATS)
def test_the_mutations_start_from_good_files(decoder: Decoder, kind: str) -> None:
    assert all(isinstance(answer, GrayVersion) for answer in decoder.decode(small_images()[kind]))
