"""What else the machine was doing: CPU time that the benchmark and its processes did not use, steal included."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.usage import cpu_seconds

NOISY = 0.1
"""Share of the cores' time."""
LOOK_SECONDS = 1.0
STAT = Path("/proc/stat")
_BUSY = (0, 1, 2, 5, 6, 7)
"""user, nice, system, irq, softirq, steal; not idle and iowait, nor guest, which user has in it (proc_stat(5))."""


def busy_seconds(stat: str) -> float:
    """Give the seconds that all cores together were busy, of the text of /proc/stat."""
    ticks = [int(word) for word in stat.partition("\n")[0].split()[1:]]
    return sum(ticks[field] for field in _BUSY) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Moment:
    """A moment: a monotonic clock, and the CPU seconds of the whole machine and of what descends from this process."""

    seconds: float
    busy: float
    ours: float

    @classmethod
    def now(cls) -> "Moment":
        """Look."""
        return cls(time.monotonic(), busy_seconds(STAT.read_text("utf-8")), cpu_seconds(psutil.Process()))


def noise(before: Moment, after: Moment, *, cores: int) -> float:
    """Give the share of the cores' time that went to others between two moments."""
    others = (after.busy - before.busy) - (after.ours - before.ours)
    return max(0.0, others) / ((after.seconds - before.seconds) * cores)


class Patience:
    """Waits for a quiet second: not for ever, and in all runs together not for long."""

    def __init__(self, *, each_seconds: float = 10, all_seconds: float) -> None:
        self._each = each_seconds
        self._left = all_seconds

    def wait_for_quiet(self) -> bool:
        """Return once neither others nor what is left of the run before keep the machine busy; False: they still do."""
        began = time.monotonic()
        allowed = min(self._each, self._left)
        quiet = False
        while not quiet and time.monotonic() - began < allowed:
            before = busy_seconds(STAT.read_text("utf-8"))
            time.sleep(LOOK_SECONDS)
            busy = busy_seconds(STAT.read_text("utf-8")) - before
            quiet = busy < NOISY * LOOK_SECONDS * (os.cpu_count() or 1)
        self._left -= max(0.0, time.monotonic() - began - LOOK_SECONDS)
        return quiet
