"""How fast one core of this machine is: the CPU time of a fixed task of the kinds of work that the services do."""

import hashlib
import time
import zlib

import numpy as np

TIMES = 5


def task_milliseconds() -> float:
    """Give the CPU milliseconds of the task: of several times, the least."""
    data = np.random.default_rng(7).integers(0, 64, 1_000_000, np.uint8)
    return min(_timed(data.tobytes()) for _ in range(TIMES))


def _timed(data: bytes) -> float:
    began = time.process_time()
    # An interpreter's work, a library's on bytes, and memory's: about as much of each.
    counts: dict[int, int] = {}
    for number in range(100_000):
        counts[number % 1_000] = counts.get(number % 1_000, 0) + number
    zlib.compress(data, 1)
    hashlib.md5(data, usedforsecurity=False)
    pixels = np.frombuffer(data, np.uint8)
    for _ in range(10):
        pixels = (pixels.astype(np.uint16) * 3 // 3).astype(np.uint8)
    return 1_000 * (time.process_time() - began)
