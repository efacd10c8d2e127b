"""Limits of time for what is tested, not for the machine that it is tested on."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

TICK_SECONDS = 0.02
LONGEST_TICK_SECONDS = 0.1


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail when the block takes longer. While this process neither works nor may, no time passes."""
    passed_seconds = 0.0
    over = threading.Event()

    def tick() -> None:
        nonlocal passed_seconds
        before, worked_before = time.monotonic(), time.process_time()
        while True:
            is_last = over.wait(TICK_SECONDS)
            now, worked = time.monotonic(), time.process_time()
            passed_seconds += min(now - before, LONGEST_TICK_SECONDS + worked - worked_before)
            before, worked_before = now, worked
            if is_last:
                return

    ticking = threading.Thread(target=tick)
    ticking.start()
    try:
        yield
    finally:
        over.set()
        ticking.join()
    assert passed_seconds < seconds
