"""When each stage took an item up and when it passed it on: moments that travel with the item's messages.

They alternate, in milliseconds since 1970: told, taken up, told, taken up, ... Every host reads its own clock.
"""

import re
import time
from collections.abc import Sequence
from itertools import pairwise

Steps = tuple[int, ...]

_WRITTEN = re.compile(r"\d{1,14}(,\d{1,14}){0,15}", re.ASCII)


def now_ms() -> int:
    """Give the moment, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def write_steps(steps: Sequence[int]) -> str:
    """Write the moments as a message's header, this one added."""
    return ",".join(map(str, (*steps, now_ms())))


def read_steps(header: object, taken_up_ms: int | None = None) -> Steps:
    """Read them, and add when this stage took the item up: now, unless said. What is no such header counts as none."""
    if not isinstance(header, str) or not _WRITTEN.fullmatch(header):
        return ()
    return (*map(int, header.split(",")), now_ms() if taken_up_ms is None else taken_up_ms)


def told_ms(header: object) -> int | None:
    """Read when a message was told; None from what is no such header."""
    latest = header.rpartition(",")[2] if isinstance(header, str) else ""
    return int(latest) if len(latest) <= 14 and latest.isascii() and latest.isdigit() else None


def took_ms(steps: Sequence[int], ended_ms: int) -> list[int] | None:
    """Give, for each stage in turn, how long the item waited for it and how long it worked, both in milliseconds.

    A clock that is behind another makes 0, not less. None for an item whose messages carried no moments.
    """
    if not steps or len(steps) % 2:
        return None
    moments = (*steps, ended_ms)
    return [min(max(later - earlier, 0), 2**31 - 1) for earlier, later in pairwise(moments)]
